/** Types of a plugin's inputs and outputs, read off its module without importing it. */
import type { PluginDefinition } from '../plugin.ts';

/** `register<typeof import('./primes.ts')>(…)`: what `execute` takes. */
export type InputOf<Module> = Module extends { default: infer D }
  ? D extends PluginDefinition<infer I, infer _O>
    ? I
    : D extends (input: infer I, ...rest: never[]) => unknown
      ? I
      : unknown
  : unknown;

/** …and what it gives. */
export type OutputOf<Module> = Module extends { default: infer D }
  ? D extends PluginDefinition<infer _I, infer O>
    ? O
    : D extends (...args: never[]) => infer O
      ? Awaited<O>
      : unknown
  : unknown;

/** Options of `execute` and `stream`. */
export interface ExecuteOptions {
  signal?: AbortSignal | undefined;
  /** From acceptance (ms); 0 = none. Default: the plugin's `limits.callTimeoutMs`. */
  timeoutMs?: number | undefined;
  /** The call may run twice: after a crash it is delivered again. Default false. */
  idempotent?: boolean | undefined;
  /**
   * Calls with the same key go to the same replica, as long as the number of replicas is the same.
   * Without `replicas` in the spec it means nothing.
   */
  affinity?: string | number | undefined;
  /** Buffers to move instead of copying them; they are detached here. */
  transfer?: readonly ArrayBuffer[] | undefined;
}

/** What `close()` could not end in good order. */
export interface CloseReport {
  clean: boolean;
  problems: { id: string; error: Error }[];
}

export interface PluginManagerOptions {
  /**
   * `auto`: what plugins log, and their crashes, are printed to stderr while nobody listens to
   * `log` events. `silent`: never. Default `auto`.
   */
  logs?: 'auto' | 'silent';
}
