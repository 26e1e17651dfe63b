/** The actor's end of the control plane: runs the hooks, and says how the plugin is. */
import type { PluginContext, PluginHooks } from '../plugin.ts';
import { bodyOf, decode, encode } from '../protocol/codec.ts';
import type { ScriptSources } from '../protocol/kept-code.ts';
import { RUNTIME_LIMITS, SNAPSHOT_LIMITS, type Limits } from '../protocol/limits.ts';
import {
  OPTIONAL_HOOKS,
  type ActorControl,
  type EncodedValue,
  type Opened,
  type Outcome,
  type StartHook,
} from '../protocol/messages.ts';
import type { SignalBoard } from '../protocol/signal-board.ts';
import { toWireError, type Redactor } from '../protocol/wire-error.ts';
import type { CallLoop } from './call-loop.ts';
import type { Gate } from './gate.ts';
import type { MetricSet } from './metrics.ts';
import { profileSelf, writeOwnHeap } from './self-diagnosis.ts';

/** Imports the plugin's code: which host that is, the thread's entry decides. */
export type LoadPlugin = () => Promise<
  (context: PluginContext) => PluginHooks | Promise<PluginHooks>
>;

export interface ControlScope {
  loadPlugin: LoadPlugin;
  /** What a script has been made of, once it is loaded. */
  sources: () => ScriptSources | undefined;
  context: PluginContext;
  loop: CallLoop;
  gate: Gate;
  board: SignalBoard;
  limits: Limits;
  redactor: Redactor;
  metrics: MetricSet;
  /** Settles when what the plugin subscribed to is in force. */
  watched: () => Promise<void>;
}

export function createControl({
  loadPlugin,
  sources,
  context,
  loop,
  gate,
  board,
  limits,
  redactor,
  metrics,
  watched,
}: ControlScope): ActorControl {
  let hooks: PluginHooks | undefined;
  let measured = performance.eventLoopUtilization();

  const open = async (): Promise<Opened> => {
    const setup = await loadPlugin();
    if (board.isEnding()) return { hooks: [] };
    const made = await setup(context);
    requireExecute(made);
    hooks = made;
    loop.hooks = made;
    gate.hooks = made;
    await watched();
    const present = OPTIONAL_HOOKS.filter((name) => made[name] !== undefined);
    return { hooks: present, sources: sources() };
  };

  /** What a hook returns is nobody's: it need not be something that can be sent. */
  const run = async (name: StartHook | 'stop' | 'unload'): Promise<void> => {
    await hooks?.[name]?.();
  };

  const snapshot = async (): Promise<EncodedValue | undefined> => {
    if (!hooks?.snapshot) return undefined;
    const { frame, flags } = encode(await hooks.snapshot(), SNAPSHOT_LIMITS);
    return { frame, flags };
  };

  const outcome = async <T>(work: () => Promise<T>): Promise<Outcome<T>> => {
    try {
      return { ok: true, value: await work() };
    } catch (error) {
      return { ok: false, error: toWireError(error, redactor) };
    }
  };
  /** What cannot be sent is told as such: a question about the plugin never fails for it. */
  const encodeVital = (value: unknown): EncodedValue | undefined => {
    if (value === undefined) return undefined;
    try {
      const { frame, flags } = encode(redactor.value(value), limits);
      return { frame, flags };
    } catch (error) {
      const { message } = toWireError(error, redactor);
      const { frame, flags } = encode({ error: message }, RUNTIME_LIMITS);
      return { frame, flags };
    }
  };

  return {
    open: () => outcome(open),
    hook: (name) =>
      outcome(async () => {
        await run(name);
        await watched();
      }),
    pause: (number) => outcome(() => gate.pause(number, loop)),
    resume: () => outcome(() => gate.resume(loop)),
    shutdown: (names) =>
      outcome(async () => {
        await loop.whenQuiet();
        for (const name of names) await run(name);
      }),
    snapshot: () => outcome(() => loop.atRest(snapshot)),
    restore: ({ frame, flags }) =>
      outcome(async () => {
        const body = bodyOf({ frame, flags, attachments: [] });
        await hooks?.restore?.(decode(body, SNAPSHOT_LIMITS) as never);
      }),
    ping: () => Promise.resolve(),
    cpuProfile: (times) => outcome(() => profileSelf(times)),
    heapSnapshot: (file) =>
      outcome(async () => {
        await Promise.resolve();
        writeOwnHeap(file);
        return true as const;
      }),
    async health() {
      if (!hooks?.health) return { ready: true };
      try {
        const detail: unknown = await hooks.health();
        return { ready: isHealthy(detail), detail: encodeVital(detail) };
      } catch (error) {
        return { ready: false, reason: toWireError(error, redactor).message };
      }
    },
    async stats() {
      const { heapUsed, external } = process.memoryUsage();
      const own = await ownStats(hooks);
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, measured);
      measured = now;
      return {
        heapUsedBytes: heapUsed,
        externalBytes: external,
        utilization: Number.isFinite(utilization) ? utilization : 0,
        metrics: metrics.samples(),
        plugin: encodeVital(own),
      };
    },
  };
}

async function ownStats(hooks: PluginHooks | undefined): Promise<unknown> {
  try {
    return await hooks?.stats?.();
  } catch (error) {
    // what the hook says is redacted where it is encoded
    return { error: toWireError(error).message };
  }
}

function isHealthy(detail: unknown): boolean {
  if (detail === false) return false;
  return !(
    typeof detail === 'object' &&
    detail !== null &&
    'healthy' in detail &&
    detail.healthy === false
  );
}

function requireExecute(hooks: unknown): void {
  const known = typeof hooks === 'object' && hooks !== null && 'execute' in hooks;
  if (!known || typeof hooks.execute !== 'function') {
    throw new TypeError(
      'the plugin has no `execute`; its hooks must have at least `execute(input, call)`',
    );
  }
}
