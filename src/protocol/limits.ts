/**
 * Every bound in the runtime, with its unit and its reason. Nothing here reads a clock or starts
 * a timer; the layers that do take their numbers from this file.
 */

/** Time and size bounds of one plugin. All optional in a spec; the defaults are {@link DEFAULT_LIMITS}. */
export interface Limits {
  /** Thread created until its module is imported (ms). Default 10,000. */
  startTimeoutMs: number;
  /** Each of load, init, start, pause, resume, restore, snapshot (ms). Default 10,000. */
  hookTimeoutMs: number;
  /** `stop` and `unload` together; then the thread is ended (ms). Default 5,000. */
  stopTimeoutMs: number;
  /** Default deadline of a call (ms); 0 means none. A call's own `timeoutMs` wins. Default 0. */
  callTimeoutMs: number;
  /** Between the abort of a call and the end of its thread (ms). Default 1,000. */
  graceMs: number;
  /** How long a health or stats question may take (ms). Default 1,000. */
  healthTimeoutMs: number;
  /** Inside no call and no hook, a thread may be silent for this long (ms); 0 = for ever. Default 5,000. */
  unresponsiveMs: number;
  /**
   * What the thread may hold, heap and buffers together (MiB). A soft limit, watched from outside:
   * above it, with its garbage collected, the thread is ended. Default: only V8's own limit.
   */
  memoryMb?: number | undefined;
  /** Stack of the thread (MiB). Default: what Node gives a worker (4). */
  stackMb?: number | undefined;
  /** Largest encoded value of a call, a result or a chunk (bytes). Default 32 MiB. */
  payloadBytesMax: number;
  /** Deepest nesting of a value. Default 200. */
  payloadDepthMax: number;
  /** Log output of a plugin (bytes per second); what is over is dropped and counted. Default 256 KiB. */
  logBytesPerSecMax: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: Limits = {
  startTimeoutMs: 10_000,
  hookTimeoutMs: 10_000,
  stopTimeoutMs: 5_000,
  callTimeoutMs: 0,
  graceMs: 1_000,
  healthTimeoutMs: 1_000,
  unresponsiveMs: 5_000,
  memoryMb: undefined,
  stackMb: undefined,
  payloadBytesMax: 32 * MIB,
  payloadDepthMax: 200,
  logBytesPerSecMax: 256 * 1024,
};

/**
 * For what the runtime itself says, whatever a plugin's own limits are: errors, logs, requests to
 * the kernel. A little more than a value may have, for what is wrapped around it.
 */
export const RUNTIME_LIMITS = {
  payloadBytesMax: DEFAULT_LIMITS.payloadBytesMax + 64 * 1024,
  payloadDepthMax: DEFAULT_LIMITS.payloadDepthMax + 8,
};

/** A snapshot: the heap of a script is as large as it may be. */
export const SNAPSHOT_LIMITS = {
  payloadBytesMax: 1024 * MIB,
  payloadDepthMax: RUNTIME_LIMITS.payloadDepthMax,
};

/** Where calls wait for their plugin. */
export interface MailboxOptions {
  /** Calls that may wait. Default 10,000. */
  capacity: number;
  /** Beyond the capacity: refuse with `MAILBOX_FULL` at once, or let the caller wait for room. Default `reject`. */
  overflow: 'reject' | 'wait';
  /**
   * What waiting calls may hold: their encoded inputs, and {@link CALL_BYTES} for each (bytes).
   * Beyond it `MAILBOX_FULL`, whatever `overflow` says. Default 256 MiB.
   */
  bytesMax: number;
}

export const DEFAULT_MAILBOX: MailboxOptions = {
  capacity: 10_000,
  overflow: 'reject',
  bytesMax: 256 * MIB,
};

/** Replicas of one plugin: more threads than that help no machine. */
export const REPLICAS_MAX = 256;

/** More replicas after calls have waited that long (ms). */
export const GROW_AFTER_MS = 500;

/** One replica less after that long without need for it (ms): a new one costs a start. */
export const SHRINK_AFTER_MS = 30_000;

/** A call that waits for a busy replica goes to one that is free after that long (ms), at the latest. */
export const SPREAD_MS = 10;

/** The load of replicas is looked at that often (ms), or more often where they are to follow it sooner. */
export const LOAD_LOOK_MS = 250;

/** What a waiting call without its input is taken to hold (bytes): promise, deadline, bookkeeping. */
export const CALL_BYTES = 1_024;

/** When and how often a plugin that ended is started again. */
export interface RestartOptions {
  /** `permanent`: always; `transient`: after an abnormal end only; `temporary`: never. Default `permanent`. */
  type: 'permanent' | 'transient' | 'temporary';
  /** Restarts allowed within `periodMs` before giving up. Default 3. */
  intensity: number;
  /** Length of the sliding window (ms). Default 5,000. */
  periodMs: number;
  /** Delay before a restart: the first is at once, then `minMs`, growing by `factor` to `maxMs`. */
  backoff: {
    /** Default 100. */
    minMs: number;
    /** Default 30,000. */
    maxMs: number;
    /** Default 2. */
    factor: number;
    /** Share of the delay that is drawn at random, 0 to 1. Default 0.2. */
    jitter: number;
  };
  /** How often a begun idempotent call is delivered again after a crash. Default 1. */
  redeliver: number;
  /** After a crash the next life begins with the last snapshot of the one before. Default false. */
  fromSnapshot: boolean;
  /** With `fromSnapshot`: a snapshot is taken after calls, at most this often (ms). Default 1,000. */
  snapshotMs: number;
}

export const DEFAULT_RESTART: RestartOptions = {
  type: 'permanent',
  intensity: 3,
  periodMs: 5_000,
  backoff: { minMs: 100, maxMs: 30_000, factor: 2, jitter: 0.2 },
  redeliver: 1,
  fromSnapshot: false,
  snapshotMs: 1_000,
};

/** What the VM of a script may use, beside its plugin's {@link Limits}. */
export interface ScriptOptions {
  /** What its values may hold (MiB). Beyond it the script gets an `InternalError`. Default 64. */
  memoryMb: number;
  /** Stack of the engine (KiB), at most 512. Beyond it the script gets a `RangeError`. Default 256. */
  stackKb: number;
  /**
   * Operations of one call: function calls and turns of loops, counted in steps of
   * {@link SCRIPT_OPERATIONS_STEP}. 0 = no bound but the call's deadline. Default 0.
   */
  operationsMax: number;
}

export const DEFAULT_SCRIPT: ScriptOptions = { memoryMb: 64, stackKb: 256, operationsMax: 0 };

/** `limits.callTimeoutMs` of a script where nothing else is said (ms): its call always ends. */
export const SCRIPT_CALL_TIMEOUT_MS = 30_000;

/** The engine asks whether to go on once in so many operations. */
export const SCRIPT_OPERATIONS_STEP = 10_000;

/** Promise jobs of a task that was stopped may take this long to end (ms); then the VM is lost. */
export const SCRIPT_DRAIN_MS = 200;

/** One file of a script (bytes). */
export const SCRIPT_SOURCE_BYTES_MAX = 4 * MIB;

/** When a changed plugin is reloaded by itself. */
export const RELOAD_STRATEGIES = ['immediate', 'debounced', 'manual', 'idle'] as const;
export type ReloadStrategy = (typeof RELOAD_STRATEGIES)[number];

/** How a plugin is replaced by a new version of itself. */
export interface ReloadOptions {
  /** Its files are watched, and it is reloaded when they change. Default false. */
  watch: boolean;
  /**
   * When, after a change: `immediate`: at once; `debounced`: once nothing has changed for
   * `debounceMs`; `idle`: then, as soon as it has no call; `manual`: only by `reload(id)`.
   * Default `debounced`.
   */
  strategy: ReloadStrategy;
  /** Default 200 (ms). */
  debounceMs: number;
  /** How often a new version is tried; an error that trying again cannot help ends that. Default 3. */
  attempts: number;
  /** Between two attempts (ms). Default 1,000. */
  cooldownMs: number;
  /** The new version begins with the `snapshot` of the old one, where both have the hook for it. Default true. */
  preserveState: boolean;
  /** How long begun calls may go on at the old version (ms); then it is stopped. Default 30,000. */
  drainTimeoutMs: number;
}

export const DEFAULT_RELOAD: ReloadOptions = {
  watch: false,
  strategy: 'debounced',
  debounceMs: 200,
  attempts: 3,
  cooldownMs: 1_000,
  preserveState: true,
  drainTimeoutMs: 30_000,
};

/** Old versions of one plugin that may be ending at once: a reload waits for room. */
export const LEAVING_VERSIONS_MAX = 3;

/** How many threads a pool has. */
export interface ThreadsOptions {
  /** Kept also while nothing is called. Default 1. */
  min: number;
  /** Default: as many as the machine does in parallel. */
  max: number;
  /** A thread above `min` that serves no call for so long is ended (ms). Default 10,000. */
  idleMs: number;
}

export const POOL_IDLE_MS = 10_000;

/** A thread of a pool that has no call keeps its place for this long (ms): the next one need not ask for it. */
export const LEASE_LINGER_MS = 20;

/** Calls sent to an actor and not yet answered: bounds what a stuck plugin can pile up in its port. */
export const WINDOW_CALLS = 1_024;

/** The same in bytes of input, which lie there twice: kept here, and copied into the port. */
export const WINDOW_BYTES = 64 * MIB;

/** Calls an actor may have open towards other plugins and the kernel at once. */
export const OUTBOUND_CALLS_MAX = 16_384;
/** What the shared state of a manager may hold (bytes). */
export const STATE_BYTES_MAX = 512 * MIB;
/** What the inputs of these may come to (bytes). */
export const OUTBOUND_BYTES_MAX = 256 * MIB;

/** Chunks a stream's producer may be ahead of its reader, at first… */
export const STREAM_CREDIT_CHUNKS = 64;

/** …of a reader that waits for them… */
export const STREAM_CREDIT_CHUNKS_MAX = 1_024;

/** …as long as they are no more than this together (bytes), by the largest so far. */
export const STREAM_CREDIT_BYTES = MIB;

/** A ready result waits at most this long for the company of further results (ms). */
export const BATCH_DELAY_MS = 1;

/**
 * Frames of one outgoing batch. Both sides work at the same time only while a batch is on its
 * way: with the whole window of 256 in one, they took turns, and small calls were a third slower.
 */
export const BATCH_FRAMES_MAX = 128;

/** Results an actor lets keep each other company: half a batch, so that main has work meanwhile. */
export const BATCH_RESULTS_MAX = 64;

/** Bytes of one outgoing batch before it is sent without waiting for the turn's end. */
export const BATCH_BYTES = 64 * 1024;

/** A buffer this large travels beside the bytes of its value (bytes). */
export const APART_BYTES_MIN = 32 * 1024;

/** One of a thread's two rings (bytes, a power of two). What is larger than an eighth goes over the port. */
export const RING_BYTES = 256 * 1024;

/** One message to or from another process, the buffers it moves included (bytes). */
export const PIPE_MESSAGE_BYTES_MAX = 1024 * MIB;

/** A process looks this often whether its pipes are still there (ms). */
export const PIPE_LOOK_MS = 1_000;

/** What a process that has ended may still have said is waited for this long (ms). */
export const PIPE_DRAIN_MS = 500;

/** Calls to more different plugins than this from one actor are refused: its route table is full. */
export const ROUTES_MAX = 4_096;

/** A health question to a thread known to be inside a call is not waited for longer than this (ms). */
export const BUSY_ANSWER_MS = 100;

/** A thread in reserve that nothing has needed for this long is ended (ms). */
export const SPARE_THREAD_MS = 60_000;

/** A thread that is to end while it imports is given so long to finish that (ms). */
export const IMPORT_END_MS = 1_000;

/** A thread that is to end inside `ctx.uninterrupted` is given so long to leave it (ms). */
export const SECTION_END_MS = 250;

/** `terminate()` that somebody asked for and that takes longer leaves a zombie (ms). */
export const TERMINATE_TIMEOUT_MS = 2_000;

/** The same where the thread is at fault: calls wait for its replacement (ms). A loop ends in 3 to 15. */
export const TERMINATE_FAULTY_MS = 300;

/** Threads of one plugin left behind and still there; with more, it is not started again. */
export const ZOMBIES_MAX = 3;

/** V8's own limit is this far above the soft one, at least (MiB): room for what grows between two looks. */
export const HARD_LIMIT_ROOM_MB = 256;

/** …and this many times the soft one: an array or a Map that grows holds its old and its new table. */
export const HARD_LIMIT_FACTOR = 4;

/** What a process needs beside its plugin's heap and buffers (MiB): Node itself, V8's young objects and code. */
export const RESIDENT_ROOM_MB = 128;

/** What a busy thread is taken to allocate, at most (bytes per ms): 1 GiB a second. */
export const GROWTH_BYTES_PER_MS = 1024 * 1024;

/** Time between two looks at a thread's memory (ms): while it is asleep or far from its limit… */
export const MEMORY_LOOK_MS_MAX = 100;

/** …and close to it. */
export const MEMORY_LOOK_MS_MIN = 5;

/** After a collection for nothing, this many times what it took passes before the next one… */
export const GC_REST_FACTOR = 10;

/** …or this long, if that is shorter (ms). */
export const GC_REST_MS_MAX = 2_000;

/** Garbage that V8's young generation may hold without a collection (MiB). */
export const YOUNG_GARBAGE_MB = 32;

/** A thread that does not answer the inspector for this long is blocked (ms); a collection can take 2,000. */
export const INSPECTOR_ANSWER_MS = 3_000;

/** `unresponsiveMs` is looked at in this many steps. */
export const UNRESPONSIVE_LOOKS = 4;

/** What a stack of a silent thread may take (ms); one that is blocked gives none. */
export const STACK_ANSWER_MS = 2_000;

/** Dead letters of one plugin that are kept to be looked at; all are counted. */
export const DEAD_LETTERS_KEPT = 100;

/** The input of a dead letter is kept up to this size (bytes): at most 6.25 MiB for one plugin. */
export const DEAD_LETTER_BYTES_MAX = 64 * 1024;

/** A shorter secret would be found in half of all texts, and is let stand (characters). */
export const SECRET_CHARS_MIN = 4;

/** A thread that the inspector does not know yet is looked for again this soon (ms). */
export const ATTACH_LOOK_MS = 20;

/** A CPU profile where nothing else is said (ms)… */
export const PROFILE_MS = 5_000;

/** …and the longest: its samples pass through main in one piece (ms). */
export const PROFILE_MS_MAX = 60_000;

/** Between two samples (µs): V8's own default… */
export const SAMPLING_INTERVAL_US = 1_000;

/** …more often, the thread is held up by being looked at… */
export const SAMPLING_INTERVAL_US_MIN = 100;

/** …and less often, it says nothing. */
export const SAMPLING_INTERVAL_US_MAX = 100_000;

/** A thread that is blocked when its profile ends is waited for (ms). */
export const PROFILE_ANSWER_MS = 10_000;

/** Functions in the summary of a profile. */
export const PROFILE_TOP = 10;

/** A heap snapshot may take this long (ms)… */
export const SNAPSHOT_MS = 30_000;

/** …and this much longer for each MiB of the heap (ms). Seen: 100. */
export const SNAPSHOT_MS_PER_MIB = 500;

/** That a thread has ended may be heard this long after it fell silent (ms). */
export const DEATH_NEWS_MS = 1_000;

/** Log lines of a plugin kept for `stats` and its crash report. */
export const CRASH_LOG_LINES = 20;

/** Compiled code of an actor that threads share (bytes); it is about 100,000. */
export const CODE_BYTES_MAX = 256 * 1_024;

/** It is kept this long after the first thread has begun (ms): its plugin is up then. */
export const CODE_CACHE_MS = 5;

/** Series of metrics (name and labels) that one thread of a plugin keeps. */
export const METRIC_SERIES_MAX = 1_000;

/** Labels of one series. */
export const METRIC_LABELS_MAX = 16;

/** Longest name of a metric or a label, and value of a label (characters). */
export const METRIC_TEXT_CHARS_MAX = 256;

/** Longest log line that travels (characters). */
export const LOG_LINE_CHARS_MAX = 8_192;

/** Events a slow subscriber may be behind before the oldest are dropped. */
export const EVENT_BACKLOG_MAX = 10_000;
