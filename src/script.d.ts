/**
 * `troupe/script`: what a script finds, as types. A script needs no import; for an editor, put
 * `/// <reference types="troupe/script" />` on top of it, or `"types": ["troupe/script"]` into its
 * tsconfig.json.
 */
import type { Call, CallOptions, PluginContext, PluginHooks } from 'troupe/plugin';

/** `ctx` of a script: as of any plugin, with what a script has no other way to. */
export interface ScriptContext extends Omit<
  PluginContext,
  | 'call'
  | 'stream'
  | 'shared'
  | 'replica'
  | 'metrics'
  | 'modules'
  | 'uninterrupted'
  | 'listPlugins'
  | 'statsAll'
> {
  /** Calls another plugin. It is aborted with the call that makes it. */
  call<T = unknown>(id: string, input?: unknown, options?: ScriptCallOptions): Promise<T>;
  /** Reads a stream of another plugin; breaking off cancels it. */
  stream<T = unknown>(id: string, input?: unknown, options?: ScriptCallOptions): AsyncIterable<T>;
  /** Epoch ms. */
  now(): number;
  /** A random UUID, of the thread's and not of the VM's chance. */
  uuid(): string;
}

export interface ScriptCallOptions extends Pick<CallOptions, 'timeoutMs' | 'idempotent'> {
  signal?: ScriptSignal;
}

/** Of an AbortSignal what there is in a script. */
export interface ScriptSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  onabort: (() => void) | null;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
  throwIfAborted(): void;
}

/** One call, as a script sees it. */
export interface ScriptCall extends Omit<Call, 'signal' | 'isStream'> {
  readonly signal: ScriptSignal;
}

/** What a script does. Everything but `execute` is optional; all may be async. */
export interface ScriptHooks<I = never, O = unknown> extends Omit<PluginHooks, 'execute'> {
  /** A value, a promise of one, or an (async) iterator, which is a stream of values. */
  execute(input: I, call: ScriptCall): O | Promise<O> | Iterator<O> | AsyncIterable<O>;
}

declare global {
  const ctx: ScriptContext;
  /** A plugin from a function that is given `ctx` and returns its hooks. */
  function definePlugin<I = never, O = unknown>(
    setup: (context: ScriptContext) => ScriptHooks<I, O> | Promise<ScriptHooks<I, O>>,
  ): object;
}
