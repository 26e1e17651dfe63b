/** `manager.context`: what plugins see of shared state, events and locks, for the embedding program. */
import type { EventBus, LockOptions, SharedState } from '../plugin.ts';
import { isCodecError } from '../protocol/codec-error.ts';
import { bodyOf, decode, encode } from '../protocol/codec.ts';
import { PluginError } from '../protocol/errors.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import type { BusEvent } from '../protocol/report.ts';
import { valueOf, type Services } from './services.ts';

export interface ManagerContext {
  readonly state: SharedState;
  readonly events: EventBus;
  /** Runs `fn` while nobody else, plugins included, holds the lock `name`. */
  lock<T>(name: string, fn: () => T | Promise<T>, options?: LockOptions): Promise<T>;
  /** Shared memory by name: the same buffer that plugins get. */
  shared(name: string, byteLength: number): Promise<SharedArrayBuffer>;
}

/** @param onListenerError a listener that throws harms nobody but is told of. */
export function createManagerContext(
  services: Services,
  agentId: string,
  onListenerError: (error: unknown) => void,
): ManagerContext {
  const holder = {};
  return {
    state: stateOf(services),
    events: eventsOf(services, agentId, onListenerError),
    async lock(name, fn, { timeoutMs } = {}) {
      const token = await services.locks.acquire(name, holder, timeoutMs);
      try {
        return await fn();
      } finally {
        services.locks.release(token, holder);
      }
    },
    shared: (name, byteLength) => promised(() => services.memory.get(name, byteLength)),
  };
}

function stateOf({ state }: Services): SharedState {
  return {
    get: <T>(key: string) => promised(() => state.get(key) as T | undefined),
    set: (key, value) =>
      promised(() => {
        state.set(key, value);
      }),
    delete: (key) => promised(() => state.delete(key)),
    keys: () => promised(() => state.keys()),
    // nothing comes between reading and writing here
    update: <T>(key: string, fn: (current: T | undefined) => T) =>
      promised(() => {
        const value = fn(state.get(key) as T | undefined);
        state.set(key, value);
        return value;
      }),
    watch: <T>(key: string) => watch<T>(state, key),
  };
}

function watch<T>(state: Services['state'], key: string): AsyncIterable<T | undefined> {
  return {
    [Symbol.asyncIterator]() {
      const reader = { changed: true, done: false, wake: (): void => undefined };
      const stop = state.onChange(key, () => {
        reader.changed = true;
        reader.wake();
      });
      const finish = (): void => {
        reader.done = true;
        stop();
        forget();
        reader.wake();
      };
      const forget = state.onClose(finish);
      return {
        async next(): Promise<IteratorResult<T | undefined, undefined>> {
          while (!reader.changed && !reader.done) {
            await new Promise<void>((resolve) => {
              reader.wake = resolve;
            });
          }
          if (reader.done) return { value: undefined, done: true };
          reader.changed = false;
          return { value: valueOf(state.payload(key)) as T | undefined, done: false };
        },
        return(): Promise<IteratorResult<T | undefined, undefined>> {
          finish();
          return Promise.resolve({ value: undefined, done: true });
        },
      };
    },
  };
}

function eventsOf(
  { events }: Services,
  agentId: string,
  onListenerError: (error: unknown) => void,
): EventBus {
  return {
    emit: (topic, data) =>
      promised(() => {
        // a copy, as every plugin gets one
        const copy = decode(bodyOf(encode(data, DEFAULT_LIMITS)), DEFAULT_LIMITS);
        events.emit({ topic, data: copy, from: agentId, at: Date.now() });
      }),
    on: <T>(topic: string, listener: (event: BusEvent<T>) => void) =>
      events.subscribe(topic, (event) => {
        try {
          const notify: (event: BusEvent<T>) => unknown = listener;
          const outcome = notify(event as BusEvent<T>);
          if (outcome instanceof Promise) outcome.catch(onListenerError);
        } catch (error) {
          onListenerError(error);
        }
      }),
  };
}

async function promised<T>(work: () => T): Promise<T> {
  await Promise.resolve();
  try {
    return work();
  } catch (error) {
    if (isCodecError(error)) throw new PluginError(error.code, error.message, { data: error.data });
    throw error;
  }
}
