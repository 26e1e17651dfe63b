/**
 * The last snapshot of a plugin, carried over a crash where `restart.fromSnapshot` says so. It is
 * asked for while the plugin serves, at most every `snapshotMs`, and only after calls settled.
 */
import type { PluginPlan } from '../protocol/manifest.ts';
import type { EncodedValue } from '../protocol/messages.ts';
import { fromWireError } from '../protocol/wire-error.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { Life } from './life.ts';

export interface KeepsakeScope {
  plan: PluginPlan;
  /** Calls that settled so far. */
  settled(): number;
  warn(message: string): void;
}

export class Keepsake {
  readonly #scope: KeepsakeScope;
  #saved: EncodedValue | undefined;
  #seen = 0;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;
  #warned = '';

  constructor(scope: KeepsakeScope) {
    this.#scope = scope;
  }

  /** What the life after a crash begins with; who can begin with it gives it back. */
  take(): EncodedValue | undefined {
    const saved = this.#saved;
    this.#saved = undefined;
    return saved;
  }

  keep(saved: EncodedValue): void {
    this.#saved = saved;
  }

  /** The next life begins anew: nothing of the one that ends now is kept any more. */
  drop(): void {
    this.unfollow();
    this.#saved = undefined;
  }

  follow(life: Life): void {
    const { fromSnapshot, snapshotMs } = this.#scope.plan.restart;
    this.unfollow();
    if (!fromSnapshot) return;
    this.#seen = this.#scope.settled();
    this.#isAsking = false;
    const timer = setInterval(() => {
      void this.#look(life, timer);
    }, snapshotMs);
    // it keeps nobody's program alive
    timer.unref();
    this.#timer = timer;
  }

  unfollow(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(life: Life, timer: NodeJS.Timeout): Promise<void> {
    const settled = this.#scope.settled();
    if (this.#isAsking || settled === this.#seen) return;
    this.#isAsking = true;
    const outcome = await this.#ask(life);
    // another life is followed by now
    if (this.#timer !== timer) return;
    this.#isAsking = false;
    if (typeof outcome === 'string') this.#warn(outcome);
    else {
      this.#seen = settled;
      if (outcome) this.keep(outcome);
    }
  }

  /** A text where it failed. */
  async #ask(life: Life): Promise<EncodedValue | string | undefined> {
    const { hookTimeoutMs } = this.#scope.plan.limits;
    try {
      const outcome = await within(life.control.snapshot(), hookTimeoutMs);
      // it is inside a call, which has its own deadline
      if (outcome === TIMED_OUT) return undefined;
      return outcome.ok ? outcome.value : fromWireError(outcome.error).message;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #warn(why: string): void {
    if (why === this.#warned) return;
    this.#warned = why;
    const { id } = this.#scope.plan.metadata;
    this.#scope.warn(`${id} gave no snapshot, and keeps the one before: ${why}`);
  }
}
