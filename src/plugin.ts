/**
 * Door 2, `troupe/plugin`: what the author of a plugin imports. Nothing here runs the plugin;
 * it says what a plugin is and what it is handed.
 */
import { PLUGIN_MARK, TRANSFER_MARK } from './protocol/marks.ts';
import type { MetricLabels } from './protocol/metrics.ts';
import type { BusEvent, PluginListing, PluginStats } from './protocol/report.ts';
import type { ToolDefinition, ToolSchema } from './tool.ts';

export { quantileOf } from './protocol/metrics.ts';
export type { HistogramSample } from './protocol/metrics.ts';
export type { MetricLabels } from './protocol/metrics.ts';
export type { MetricSample } from './protocol/metrics.ts';
export type { BusEvent } from './protocol/report.ts';
export type { PluginListing } from './protocol/report.ts';
export type { PluginStats } from './protocol/report.ts';
export type { JsonSchema } from './tool.ts';
export type { ToolArguments } from './tool.ts';
export type { ToolCall } from './tool.ts';
export type { ToolDefinition } from './tool.ts';
export type { ToolSchema } from './tool.ts';

/** Options of a call that a plugin makes to another. */
export interface CallOptions {
  signal?: AbortSignal;
  /** From now (ms); 0 = none. Default: the called plugin's `limits.callTimeoutMs`. */
  timeoutMs?: number;
  /** The call may run twice: after a crash it is delivered again. Default false. */
  idempotent?: boolean;
  /** Calls with the same key go to the same replica of the called plugin, where it has any. */
  affinity?: string | number;
  /** Buffers to move instead of copying them; they are detached here. */
  transfer?: readonly ArrayBuffer[];
}

/** Shared state: owned by the kernel, so it survives restarts; every value read is a copy. */
export interface SharedState {
  get<T = unknown>(key: string): Promise<T | undefined>;
  set(key: string, value: unknown): Promise<void>;
  /** True when there was something to delete. */
  delete(key: string): Promise<boolean>;
  keys(): Promise<string[]>;
  /** Replaces the value by `fn` of it, atomically; `fn` may run again on contention. */
  update<T = unknown>(key: string, fn: (current: T | undefined) => T): Promise<T>;
  /** The value now, and after each change; a slow reader sees the newest, not each. */
  watch<T = unknown>(key: string): AsyncIterable<T | undefined>;
}

export interface EventBus {
  emit(topic: string, data?: unknown): Promise<void>;
  /** Returns what ends the subscription. `'*'` hears every topic. */
  on<T = unknown>(topic: string, listener: (event: BusEvent<T>) => void): () => void;
}

export interface LockOptions {
  /** Longest wait for the lock (ms); beyond it `CALL_TIMEOUT`. Default: none. */
  timeoutMs?: number;
}

export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** Only grows, from 0 at the start of each life. */
export interface Counter {
  /** Default 1. */
  add(n?: number): void;
}

/** Goes up and down. */
export interface Gauge {
  set(value: number): void;
  add(n: number): void;
}

/** How values are spread: latencies, sizes. Quantiles read off it are at most 9.1 % too high. */
export interface Histogram {
  record(value: number): void;
}

/**
 * What a plugin measures of itself. It is kept in the thread, and told where somebody asks for
 * the plugin's stats (`metrics` there). The same name and labels are the same metric; names and
 * labels are those of Prometheus, 256 characters at most; a metric has 16 labels at most. Beyond
 * 1,000 series, new ones are not kept.
 *
 * @throws TypeError for a name or value that cannot be, or a name that is another kind already.
 *
 * @example
 * const served = ctx.metrics.counter('documents', { language: 'en' });
 * served.add();
 */
export interface Metrics {
  counter(name: string, labels?: MetricLabels): Counter;
  gauge(name: string, labels?: MetricLabels): Gauge;
  histogram(name: string, labels?: MetricLabels): Histogram;
}

/** What a plugin has of the world outside its thread. */
export interface PluginContext {
  readonly id: string;
  /** The manager's id. */
  readonly agentId: string;
  /** Which life of this plugin it is, from 1. */
  readonly generation: number;
  /** Which of its plugin's replicas it is, from 0; 0 where there are none. */
  readonly replica: number;
  readonly config: Record<string, unknown>;
  /**
   * Where to import the spec's `modules` from, by their names. TypeScript is JavaScript there.
   *
   * @example
   * const { default: rules } = await import(ctx.modules.rules);
   */
  readonly modules: Readonly<Record<string, string>>;
  readonly log: Logger;
  readonly state: SharedState;
  readonly events: EventBus;
  readonly metrics: Metrics;
  /** Runs `fn` while nobody else holds the lock `name`; it is released when this plugin dies. */
  lock<T>(name: string, fn: () => T | Promise<T>, options?: LockOptions): Promise<T>;
  /** Calls another plugin. */
  call<T = unknown>(id: string, input?: unknown, options?: CallOptions): Promise<T>;
  /** Reads a stream of another plugin; breaking off cancels it. */
  stream<T = unknown>(id: string, input?: unknown, options?: CallOptions): AsyncIterable<T>;
  /** All plugins of the manager, with their states. */
  listPlugins(): Promise<PluginListing[]>;
  /** Of every plugin, by id; bounded in time, and never blocked by a busy one. */
  statsAll(): Promise<Map<string, PluginStats>>;
  /** Shared memory by name: the same buffer for every plugin that asks for it. */
  shared(name: string, byteLength: number): Promise<SharedArrayBuffer>;
  /**
   * Runs short synchronous work that must not be cut off, and returns what it returns: the thread is
   * not ended meanwhile, or only after 250 ms. For calls of native add-ons that take the end of their
   * thread badly (those written with node-addon-api's classes abort the whole process). It may be
   * nested. Where the thread is to be ended already, nothing begins, and this does not return.
   *
   * @throws TypeError where `work` returns a promise; what `work` throws.
   *
   * @example
   * const page = ctx.uninterrupted(() => database.read(number));
   */
  uninterrupted<T>(work: () => T): T;
  /** Ends the plugin from inside: on purpose, or with an Error as a crash. */
  exit(reason?: 'normal' | 'shutdown' | Error): never;
}

/** One call, as the plugin sees it. */
export interface Call {
  /** `<plugin>-<generation>-<number>`. */
  readonly id: string;
  /** Aborts when the caller gave up or the deadline passed. */
  readonly signal: AbortSignal;
  /** Epoch ms, or `undefined` when there is none. */
  readonly deadline: number | undefined;
  /** The caller reads a stream: chunks arrive as they are made, not as one list at the end. */
  readonly isStream: boolean;
  /** Reports how far the call is, 0 to 1. */
  progress(fraction: number, note?: string): void;
  /**
   * For use inside busy loops, nearly free: stands still here while the plugin is paused, and
   * throws an `AbortError` when the call is cancelled or past its deadline.
   */
  checkpoint(): void;
}

/**
 * What a module of host functions is handed (spec `wasm.hostFunctions`): the blocks through which
 * a WebAssembly guest passes values, and what is synchronous for it.
 *
 * @example
 * export default (host: GuestHost) => ({
 *   'extism:host/user': {
 *     shout: (at: bigint) => host.memory.add(host.memory.text(at).toUpperCase()),
 *   },
 * });
 */
export interface GuestHost {
  readonly context: PluginContext;
  readonly memory: {
    /** The text in the block at this address; an error in the guest's call where there is none. */
    text(at: bigint): string;
    /** A copy of its bytes. */
    bytes(at: bigint): Uint8Array;
    /** A new block, until the guest's call ends. Its address; 0 for no bytes. */
    add(value: string | Uint8Array): bigint;
  };
  /** Calls another plugin, and stands still until it has answered. */
  call(id: string, input?: unknown): unknown;
  /** Stands still while the plugin is paused; throws where the call is cancelled. */
  checkpoint(): void;
}

type MaybePromise<T> = T | Promise<T>;

/** What a plugin does. Everything but `execute` is optional; all may be async. */
export interface PluginHooks<I = unknown, O = unknown> {
  load?(): unknown;
  init?(): unknown;
  start?(): unknown;
  /** With a call standing still at a checkpoint this runs before it does, and is not awaited. */
  pause?(): unknown;
  resume?(): unknown;
  stop?(): unknown;
  unload?(): unknown;
  /** A value, a promise of one, or an (async) iterator, which is a stream of values. */
  execute(input: I, call: Call): MaybePromise<O> | Iterator<O> | AsyncIterable<O>;
  /** False, or `{ healthy: false, … }`, says that it is not ready. */
  health?(): unknown;
  stats?(): MaybePromise<Record<string, unknown>>;
  /** What the next version is to start from. */
  snapshot?(): unknown;
  restore?(saved: never): unknown;
}

/** What `definePlugin` returns: a module's default export. */
export interface PluginDefinition<I = unknown, O = unknown> {
  readonly [PLUGIN_MARK]: (context: PluginContext) => MaybePromise<PluginHooks<I, O>>;
}

/**
 * A plugin from a function that is given its context and returns its hooks. State lives in the
 * function's closure, one for each life.
 *
 * @example
 * export default definePlugin<number, number>((ctx) => ({
 *   execute: (n) => n * n,
 * }));
 */
export function definePlugin<I = unknown, O = unknown>(
  setup: (context: PluginContext) => MaybePromise<PluginHooks<I, O>>,
): PluginDefinition<I, O> {
  return { [PLUGIN_MARK]: setup };
}

/**
 * One tool of a tools module, whose default export is an array of them. Says what the tool is, and
 * types its arguments by its schema; it is served by a `toolPlugin` (`troupe/plugins`).
 *
 * @example
 * export default [
 *   defineTool({
 *     name: 'shout',
 *     description: 'Says a text loudly',
 *     input: z.object({ text: z.string() }),
 *     execute: ({ text }) => text.toUpperCase(),
 *   }),
 * ];
 */
export function defineTool<S extends ToolSchema, R extends ToolSchema = ToolSchema>(
  tool: ToolDefinition<S, R>,
): ToolDefinition<S, R> {
  return tool;
}

/** What {@link transfer} returns, seen from inside the runtime. */
interface Transferred {
  readonly [TRANSFER_MARK]: readonly ArrayBuffer[];
  readonly value: unknown;
}

/**
 * Marks a result (or a chunk) whose buffers are to be moved, not copied; they are detached here.
 *
 * @example
 * execute: () => { const pixels = new Uint8Array(size); return transfer(pixels, [pixels.buffer]); }
 */
export function transfer<T>(value: T, buffers: readonly ArrayBuffer[]): T {
  const marked: Transferred = { [TRANSFER_MARK]: buffers, value };
  return marked as unknown as T;
}
