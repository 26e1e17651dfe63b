/** What the runtime tells of its plugins: states, crashes, health, stats, events. */
import type { PluginError } from './errors.ts';
import type { PluginMetadata } from './manifest.ts';
import type { MetricSample } from './metrics.ts';

export const PLUGIN_STATES = [
  'unloaded',
  'loading',
  'loaded',
  'initialized',
  'running',
  'paused',
  'restarting',
  'failed',
] as const;
export type PluginState = (typeof PLUGIN_STATES)[number];

/** What `listPlugins()` says of one. */
export interface PluginListing extends PluginMetadata {
  state: PluginState;
}

/** A version of a plugin while it runs. */
export interface PluginVersion {
  /** Semver, of its manifest. */
  version: string;
  /** The number of its life; of one that has not run, that of the last life before. */
  generation: number;
}

interface ReloadOutcome {
  from: PluginVersion;
  /** How often the new version was tried. */
  attempts: number;
  /** Since `reload` was called (ms). */
  durationMs: number;
}

/** What became of a reload. A version that was refused is no error: the one before serves on. */
export type ReloadResult =
  | (ReloadOutcome & {
      ok: true;
      to: PluginVersion;
      /** What the old version's `snapshot` said is what the new one's `restore` began with. */
      statePreserved: boolean;
      error?: undefined;
    })
  | (ReloadOutcome & {
      ok: false;
      /** The version that was refused; `undefined` where it is not even known which. */
      to: PluginVersion | undefined;
      statePreserved: false;
      /** `RELOAD_FAILED`; its `cause` is what went wrong. */
      error: PluginError;
    });

export type CrashReason =
  | 'uncaught'
  | 'unhandled-rejection'
  | 'exit'
  | 'oom'
  | 'memory-limit'
  | 'hang'
  | 'start-timeout'
  | 'killed';

export interface CrashReport {
  reason: CrashReason;
  message: string;
  /** The thread's exit code; `undefined` where it did not come back to say. */
  exitCode: number | undefined;
  /** The error as the plugin threw it, where there was one. */
  error?: Error | undefined;
  /** Epoch ms. */
  at: number;
  /** Its last log lines, oldest first. */
  logs: string[];
}

export interface CallCounts {
  started: number;
  succeeded: number;
  failed: number;
  timedOut: number;
  aborted: number;
  crashed: number;
  /** Sent to the actor and not yet answered. */
  inFlight: number;
  /** Waiting in the mailbox. */
  queued: number;
  /** Calls that could not be delivered. */
  deadLetters: number;
  /** Answers that came when nobody waited for them any more. */
  lateReplies: number;
}

/**
 * `poison`: an idempotent call that was delivered as often as allowed, and its plugin died of it.
 * `plugin-failed`: it waited for a plugin that failed for good.
 */
export type DeadLetterReason = 'poison' | 'plugin-failed';

/** A call that could not be delivered. */
export interface DeadLetter {
  /** Which of the plugin's dead letters it is, from 1. */
  readonly number: number;
  readonly callId: string;
  readonly pluginId: string;
  readonly reason: DeadLetterReason;
  /** Of the error that the caller got. */
  readonly message: string;
  /** How often it was sent to the actor and begun. */
  readonly deliveries: number;
  /** The life it was last sent to; 0: none. */
  readonly generation: number;
  /** Epoch ms. */
  readonly at: number;
  /** Of the encoded input. */
  readonly bytes: number;
  /** Whether the input was kept: up to 64 KiB, without moved buffers. */
  readonly hasInput: boolean;
  /** The input, decoded anew each time; `undefined` where it was not kept. */
  input(): unknown;
}

export interface Latency {
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

export interface PluginStats {
  state: PluginState;
  /** Which life of the actor this is; 0 before the first. */
  generation: number;
  /** How often it was restarted, by policy or by hand. */
  restarts: number;
  /** How often it crashed, in every version of it that served: each that is told as `crashed`. */
  crashes: number;
  uptimeMs: number;
  /** Epoch ms of this life's start, `undefined` while there is none. */
  startedAt: number | undefined;
  calls: CallCounts;
  /** Accepted until settled (ms). */
  latencyMs: Latency;
  cpu: {
    /** 0 to 1, of the thread's event loop since the last question. */
    utilization: number;
  };
  /** `undefined` while the thread is too busy to say. */
  memory: { heapUsedBytes: number; externalBytes: number } | undefined;
  /** Threads of earlier lives that did not end and are still there. */
  zombies: number;
  lastCrash: CrashReport | undefined;
  /** Its last log lines (20 at most), oldest first, of all its lives. */
  logs: string[];
  /** Of a pool that lives; no other plugin has it. */
  threads?: ThreadCounts | undefined;
  /**
   * What the plugin measures through `ctx.metrics`, in this life. Empty while the thread is too
   * busy to say. Of a pool or of replicas it is added up over those that live; one that is too
   * busy counts with what it said before.
   */
  metrics: MetricSample[];
  /** What the plugin's `stats` hook says; of a plugin with replicas it is there, of each. */
  plugin: Record<string, unknown>;
  /** Only of a plugin with replicas: those that there are now. All else is of all of them together. */
  replicas?: ReplicaStats[];
}

/** One replica of a plugin. */
export interface ReplicaStats extends Pick<
  PluginStats,
  'state' | 'generation' | 'restarts' | 'cpu' | 'plugin'
> {
  /** From 0. */
  replica: number;
  calls: Pick<CallCounts, 'inFlight' | 'queued'>;
}

export interface ThreadCounts {
  /** Those there are now, also where they are not ready yet. */
  running: number;
  min: number;
  max: number;
}

export interface HealthReport {
  healthy: boolean;
  /** The thread answers, or is inside a call that is within its deadline. */
  live: boolean;
  /** Running, and its `health` hook agrees. */
  ready: boolean;
  state: PluginState;
  /** How long it has been inside calls without a break (ms). */
  busySinceMs?: number | undefined;
  reason?: string | undefined;
  /** What the plugin's `health` hook says; of a plugin with replicas it is there, of each. */
  detail?: unknown;
  /** Only of a plugin with replicas: those that there are now. */
  replicas?: ReplicaHealth[];
}

export interface ReplicaHealth extends HealthReport {
  /** From 0. */
  replica: number;
}

/** Where a plugin's thread spent its time. */
export interface CpuProfileReport {
  /** The file that was written, as an absolute path; Chrome's DevTools open it. */
  file: string;
  samples: number;
  /** From the first sample to the last (ms). */
  durationMs: number;
  /** The functions with the most time of their own, most first; ten at most. */
  top: ProfiledFunction[];
}

export interface ProfiledFunction {
  /** `(anonymous)`, `(idle)`, `(program)` and `(garbage collector)` are V8's words. */
  functionName: string;
  /** As V8 gives it; of a plugin in TypeScript that is the bundle. Empty for what is no script. */
  url: string;
  /** Where the function begins, counted from 1; 0 where that is nowhere. */
  line: number;
  /** Inside the function itself, not in what it called (ms). */
  selfMs: number;
  /** …of the whole profile, 0 to 1. */
  share: number;
}

export interface HeapSnapshotReport {
  /** The file that was written, as an absolute path; Chrome's DevTools open it. */
  file: string;
  bytes: number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogLine {
  level: LogLevel;
  message: string;
  /** Fields of `ctx.log.info('ready', { limit })`. */
  fields?: Record<string, unknown> | undefined;
  /** Where it came from: `ctx.log`, or the plugin's standard streams. */
  source: 'log' | 'stdout' | 'stderr';
}

/** What `events.on(topic, listener)` hands over. */
export interface BusEvent<T = unknown> {
  topic: string;
  data: T;
  /** A plugin's id, or the agent's. */
  from: string;
  /** Epoch ms. */
  at: number;
}
