/**
 * The control plane with deadlines: each verb settles in time, whatever the plugin does, and an
 * error says which hook it was and how it failed.
 */
import { PluginError, type ErrorCode } from '../protocol/errors.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import type {
  EncodedValue,
  Opened,
  OptionalHook,
  Outcome,
  StartHook,
} from '../protocol/messages.ts';
import { fromWireError } from '../protocol/wire-error.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { Keepsake } from './keepsake.ts';
import type { Life } from './life.ts';

export class Hooks {
  readonly #plan: PluginPlan;
  readonly #id: string;
  readonly #keepsake: Keepsake;
  /** Settles a pause or a resume of this number that happened at a checkpoint. */
  readonly #atCheckpoint = new Map<string, () => void>();

  /** Those of the life that was opened last. */
  #present: readonly OptionalHook[] = [];

  constructor(plan: PluginPlan, keepsake: Keepsake) {
    this.#plan = plan;
    this.#keepsake = keepsake;
    this.#id = plan.metadata.id;
  }

  /** Imports the plugin and runs its `load`. */
  async open(life: Life): Promise<Opened> {
    const { startTimeoutMs } = this.#plan.limits;
    const opened = await ask(life, life.control.open(), startTimeoutMs);
    if (opened === TIMED_OUT) {
      throw this.#error(
        'START_TIMEOUT',
        `was not ready after ${String(startTimeoutMs)} ms; does its module wait for something at top level?`,
        { timeoutMs: startTimeoutMs },
      );
    }
    this.#check(opened, 'LOAD_FAILED', 'could not be loaded', { step: 'import' });
    this.#present = opened.value.hooks;
    await this.#run(life, 'load', 'LOAD_FAILED');
    return opened.value;
  }

  /** Runs `init`, then `restore` where the life before left something. */
  async init(life: Life): Promise<void> {
    await this.#run(life, 'init', 'INIT_FAILED');
    const saved = this.#keepsake.take();
    if (saved === undefined) return;
    const outcome = await ask(life, life.control.restore(saved), this.#plan.limits.hookTimeoutMs);
    this.#checkHook(outcome, 'restore', 'INIT_FAILED');
    this.#keepsake.keep(saved);
  }

  start(life: Life): Promise<void> {
    return this.#run(life, 'start', 'START_FAILED');
  }

  /** Settles when no call runs, or the one that runs stands still. */
  async pause(life: Life): Promise<void> {
    const number = life.board.hold({ park: true });
    const outcome = await this.#orAtCheckpoint(
      life,
      `pause ${String(number)}`,
      life.control.pause(number),
    );
    if (outcome === TIMED_OUT || !outcome.ok) {
      life.board.release();
      life.control.resume().catch(() => undefined);
    }
    if (outcome === TIMED_OUT) {
      const { hookTimeoutMs } = this.#plan.limits;
      throw this.#error(
        'CALL_TIMEOUT',
        `did not come to rest within ${String(hookTimeoutMs)} ms and goes on; call \`checkpoint()\` in long loops`,
        { hook: 'pause', phase: 'running', timeoutMs: hookTimeoutMs },
      );
    }
    this.#checkHook(outcome, 'pause', 'CALL_FAILED');
  }

  async resume(life: Life): Promise<void> {
    const number = life.board.release();
    const outcome = await this.#orAtCheckpoint(
      life,
      `resume ${String(number)}`,
      life.control.resume(),
    );
    // a plugin that could not resume is paused as before
    if (outcome === TIMED_OUT || !outcome.ok) life.board.hold({ park: true });
    this.#checkHook(outcome, 'resume', outcome === TIMED_OUT ? 'CALL_TIMEOUT' : 'CALL_FAILED');
  }

  /** Lets begun calls end, then runs the hooks; all within the stop deadline. */
  async shutdown(life: Life, names: ('stop' | 'unload')[]): Promise<void> {
    const { stopTimeoutMs } = this.#plan.limits;
    life.board.hold({ park: false });
    const outcome = await ask(life, life.control.shutdown(names), stopTimeoutMs);
    if (outcome === TIMED_OUT) {
      throw this.#error(
        'STOP_TIMEOUT',
        `did not stop within ${String(stopTimeoutMs)} ms; its thread was ended`,
        { timeoutMs: stopTimeoutMs, terminated: true },
      );
    }
    this.#check(outcome, 'CALL_FAILED', `failed in ${names.join(' or ')}`, {
      hook: names.join('+'),
    });
  }

  has(hook: OptionalHook): boolean {
    return this.#present.includes(hook);
  }

  /** What the plugin says of its state once no call runs. Who holds the gate keeps it so. */
  async snapshot(life: Life): Promise<EncodedValue> {
    const { hookTimeoutMs } = this.#plan.limits;
    const outcome = await ask(life, life.control.snapshot(), hookTimeoutMs);
    if (outcome === TIMED_OUT) {
      throw this.#error(
        'CALL_TIMEOUT',
        `gave no snapshot within ${String(hookTimeoutMs)} ms: calls that run, or its hook, take longer; raise limits.hookTimeoutMs or set reload.preserveState to false`,
        { hook: 'snapshot', timedOut: true, timeoutMs: hookTimeoutMs },
      );
    }
    this.#check(outcome, 'CALL_FAILED', 'failed in snapshot', { hook: 'snapshot' });
    if (outcome.value) return outcome.value;
    throw this.#error('CALL_FAILED', 'gave no snapshot', { hook: 'snapshot' });
  }

  async restore(life: Life, saved: EncodedValue): Promise<void> {
    const outcome = await ask(life, life.control.restore(saved), this.#plan.limits.hookTimeoutMs);
    this.#checkHook(outcome, 'restore', 'CALL_FAILED');
  }

  /** The actor stands still (or goes on) at a checkpoint: the verb need not wait for its thread. */
  reached(what: 'pause' | 'resume', number: number): void {
    this.#atCheckpoint.get(`${what} ${String(number)}`)?.();
  }

  async #run(life: Life, hook: StartHook, code: ErrorCode): Promise<void> {
    if (!this.#present.includes(hook)) return;
    const outcome = await ask(life, life.control.hook(hook), this.#plan.limits.hookTimeoutMs);
    this.#checkHook(outcome, hook, code);
  }

  async #orAtCheckpoint(
    life: Life,
    key: string,
    answer: Promise<Outcome>,
  ): Promise<Outcome | typeof TIMED_OUT> {
    const reached = new Promise<Outcome>((resolve) => {
      this.#atCheckpoint.set(key, () => {
        resolve({ ok: true, value: undefined });
      });
    });
    answer.catch(() => undefined);
    try {
      return await ask(life, Promise.race([answer, reached]), this.#plan.limits.hookTimeoutMs);
    } finally {
      this.#atCheckpoint.delete(key);
    }
  }

  #checkHook(outcome: Outcome | typeof TIMED_OUT, hook: string, code: ErrorCode): void {
    if (outcome === TIMED_OUT) {
      const { hookTimeoutMs } = this.#plan.limits;
      throw this.#error(code, `did not return from ${hook} within ${String(hookTimeoutMs)} ms`, {
        hook,
        timedOut: true,
        timeoutMs: hookTimeoutMs,
      });
    }
    this.#check(outcome, code, `failed in ${hook}`, { hook });
  }

  #check<T>(
    outcome: Outcome<T>,
    code: ErrorCode,
    what: string,
    data: Record<string, unknown>,
  ): asserts outcome is { ok: true; value: T } {
    if (outcome.ok) return;
    const cause = fromWireError(outcome.error);
    throw this.#error(code, `${what}: ${cause.message}`, data, cause);
  }

  #error(code: ErrorCode, what: string, data: Record<string, unknown>, cause?: Error): PluginError {
    return new PluginError(code, `${this.#id} ${what}`, { pluginId: this.#id, data, cause });
  }
}

/** Waits for an answer no longer than it may take, nor than the life it comes from. */
function ask<T>(life: Life, answer: Promise<T>, timeoutMs: number): Promise<T | typeof TIMED_OUT> {
  const died = life.died.then(({ message }): never => {
    // the death itself is told elsewhere; this only ends the waiting
    throw new PluginError('PLUGIN_CRASHED', message);
  });
  return within(Promise.race([answer, died]), timeoutMs);
}
