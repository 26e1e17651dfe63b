/** What the kernel tells the embedding program. A listener that throws harms nobody. */
import type { PluginError } from '../protocol/errors.ts';
import { EVENT_BACKLOG_MAX } from '../protocol/limits.ts';
import type {
  CrashReport,
  DeadLetter,
  LogLevel,
  PluginState,
  PluginVersion,
} from '../protocol/report.ts';
import { toWireError } from '../protocol/wire-error.ts';
import { Listeners } from './listeners.ts';

interface EventFields {
  'registered': object;
  'unregistered': object;
  'state-changed': { from: PluginState; to: PluginState };
  /** One of a plugin's replicas; `state-changed` is of the plugin itself. */
  'replica-changed': { replica: number; from: PluginState; to: PluginState };
  /** How many replicas a plugin has. */
  'scaled': { from: number; to: number };
  'crashed': { crash: CrashReport };
  /** `group`: the one that decided so. */
  'restarting': { delayMs: number; group?: string };
  /** `group`: the one that the plugin is a child of. */
  'restarted': { group?: string };
  /** `why`: `too-often` or `permanent-error`. The id is a plugin's, or the name of a group. */
  'gave-up': { why: string };
  /** Its thread does not answer though it is inside no call. `stack`: what it does, if that could be seen. */
  'unresponsive': { reason: string; stack: string | undefined };
  'memory-limit': { heapUsedBytes: number; externalBytes: number; limitBytes: number };
  /** Without the input, which may be secret: see `manager.deadLetters`. */
  'dead-letter': Pick<
    DeadLetter,
    'number' | 'callId' | 'reason' | 'message' | 'deliveries' | 'bytes'
  >;
  'log': {
    level: LogLevel;
    message: string;
    fields: Record<string, unknown> | undefined;
    source: 'log' | 'stdout' | 'stderr';
  };
  'progress': { callId: string; fraction: number; note: string | undefined };
  /** `from`: what serves. It goes on serving until `reload-completed`. */
  'reload-started': { from: PluginVersion };
  'reload-completed': {
    from: PluginVersion;
    to: PluginVersion;
    attempts: number;
    statePreserved: boolean;
    durationMs: number;
  };
  /** `from` serves on. */
  'reload-failed': {
    from: PluginVersion;
    to: PluginVersion | undefined;
    attempts: number;
    durationMs: number;
    error: PluginError;
  };
  /** What there was of a version that was refused is ended. */
  'rolled-back': { to: PluginVersion; attempt: number; error: PluginError };
  /** The old version's `snapshot` said what its state is. `bytes`: of the encoded value. */
  'state-preserved': { bytes: number };
  /** The new version's `restore` began with it. */
  'state-restored': { bytes: number };
  'discovered': { folder: string };
  /** Its folder is gone, and it is unregistered. */
  'removed': { folder: string };
  'warning': { message: string };
}

export type KernelEventType = keyof EventFields;
/** What an event of that type has of its own. */
export type FieldsOf<T extends KernelEventType> = EventFields[T] & { replica?: number };

/**
 * One event: its type's fields, with the plugin, its generation (0: none) and the time (epoch
 * ms). `replica`: of which of its replicas it is told, where it has any.
 */
export type KernelEvent<T extends KernelEventType = KernelEventType> = {
  [K in T]: {
    type: K;
    id: string;
    generation: number;
    replica?: number;
    at: number;
  } & EventFields[K];
}[T];

export type KernelListener<T extends KernelEventType> = (event: KernelEvent<T>) => void;

/** An async listener's rejection is heard as well. */
type AnyListener = (event: KernelEvent) => unknown;

export class KernelEvents {
  readonly #listeners = new Listeners<KernelEventType | '*', AnyListener>();
  readonly #feeds = new Set<Feed>();
  #printer: AnyListener | undefined;

  /** The one listener that does not count as one. */
  onAny(printer: AnyListener): void {
    this.#printer = printer;
  }

  emit<T extends KernelEventType>(
    type: T,
    id: string,
    generation: number,
    fields: FieldsOf<T>,
  ): void {
    const event = { type, id, generation, at: Date.now(), ...fields } as unknown as KernelEvent;
    for (const listener of [...this.#listeners.of(type), ...this.#listeners.of('*')]) {
      this.#tell(listener, event);
    }
    for (const feed of this.#feeds) feed.push(event);
    this.#printer?.(event);
  }

  /** Returns what ends it. `*` hears every type. */
  on<T extends KernelEventType>(type: T | '*', listener: KernelListener<T>): () => void {
    return this.#listeners.add(type, listener as AnyListener);
  }

  hasListeners(type: KernelEventType): boolean {
    return this.#listeners.has(type) || this.#listeners.has('*');
  }

  /** Every event from now on, until the reader breaks off or the manager closes. */
  events(): AsyncIterable<KernelEvent> {
    return {
      [Symbol.asyncIterator]: () => {
        const feed: Feed = new Feed(() => {
          this.#feeds.delete(feed);
        });
        this.#feeds.add(feed);
        return feed;
      },
    };
  }

  close(): void {
    for (const feed of this.#feeds) feed.finish();
  }

  #tell(listener: AnyListener, event: KernelEvent): void {
    const failed = (error: unknown): void => {
      // a listener for warnings that throws would be told of itself
      if (event.type === 'warning') return;
      this.emit('warning', event.id, event.generation, {
        message: `a listener for ${event.type} threw: ${toWireError(error).message}`,
      });
    };
    try {
      const outcome = listener(event);
      if (outcome instanceof Promise) outcome.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** Events one reader has not taken yet; a reader that falls behind loses the oldest. */
class Feed implements AsyncIterator<KernelEvent, undefined> {
  readonly #ended: () => void;
  #events: KernelEvent[] = [];
  #readers: ((step: IteratorResult<KernelEvent, undefined>) => void)[] = [];
  #done = false;

  constructor(ended: () => void) {
    this.#ended = ended;
  }

  push(event: KernelEvent): void {
    const reader = this.#readers.shift();
    if (reader) {
      reader({ value: event, done: false });
      return;
    }
    this.#events.push(event);
    if (this.#events.length > EVENT_BACKLOG_MAX) this.#events.shift();
  }

  finish(): void {
    this.#done = true;
    this.#ended();
    for (const reader of this.#readers.splice(0)) reader({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<KernelEvent, undefined>> {
    const event = this.#events.shift();
    if (event) return Promise.resolve({ value: event, done: false });
    if (this.#done) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.#readers.push(resolve);
    });
  }

  return(): Promise<IteratorResult<KernelEvent, undefined>> {
    this.#events = [];
    this.finish();
    return Promise.resolve({ value: undefined, done: true });
  }
}
