/** What of `ctx` is a service of the kernel's, asked from a thread. */
import type { EventBus, LockOptions, SharedState } from '../plugin.ts';
import { PluginError } from '../protocol/errors.ts';
import type { VersionedValue } from '../protocol/messages.ts';
import type { BusEvent, PluginListing, PluginStats } from '../protocol/report.ts';
import type { Outbound } from './outbound.ts';

export function stateClient(outbound: Outbound): SharedState {
  return {
    async get<T>(key: string): Promise<T | undefined> {
      return (await outbound.service({ op: 'state.get', key })) as T | undefined;
    },
    async set(key, value) {
      await outbound.service({ op: 'state.set', key, value });
    },
    async delete(key) {
      return (await outbound.service({ op: 'state.delete', key })) === true;
    },
    async keys() {
      return (await outbound.service({ op: 'state.keys' })) as string[];
    },
    async update<T>(key: string, fn: (current: T | undefined) => T): Promise<T> {
      for (;;) {
        const read = (await outbound.service({ op: 'state.read', key })) as VersionedValue;
        const value = fn(read.value as T | undefined);
        const swapped = await outbound.service({
          op: 'state.swap',
          key,
          value,
          version: read.version,
        });
        if (swapped === true) return value;
      }
    },
    watch<T>(key: string): AsyncIterable<T | undefined> {
      return outbound.watch({ op: 'state.watch', key }, { creditChunks: 1 }) as AsyncIterable<
        T | undefined
      >;
    },
  };
}

/** @param onListenerError a listener of the plugin's that throws is the plugin's uncaught error. */
export function eventsClient(
  outbound: Outbound,
  onListenerError: (error: unknown) => void,
  warn: (message: string) => void,
): EventBus {
  return {
    async emit(topic, data) {
      await outbound.service({ op: 'events.emit', topic, data });
    },
    on<T>(topic: string, listener: (event: BusEvent<T>) => void): () => void {
      // whoever emits what this plugin may not take does not end it
      const refused = ({ message }: Error): void => {
        warn(`an event of the topic ${topic} is lost: ${message}`);
      };
      const events = outbound.watch({ op: 'events.on', topic }, { refused });
      void (async () => {
        for await (const event of events) listener(event as BusEvent<T>);
      })().catch(onListenerError);
      return () => {
        events.cancel();
      };
    },
  };
}

export async function lock<T>(
  outbound: Outbound,
  name: string,
  fn: () => T | Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const { timeoutMs } = options;
  const token = await outbound.service({ op: 'lock.acquire', name, timeoutMs });
  try {
    return await fn();
  } finally {
    await outbound.service({ op: 'lock.release', token: token as number });
  }
}

export async function shared(
  outbound: Outbound,
  name: string,
  byteLength: number,
): Promise<SharedArrayBuffer> {
  const buffer = await outbound.service({ op: 'shared', name, byteLength });
  if (buffer instanceof SharedArrayBuffer) return buffer;
  throw new PluginError('INVALID_STATE', 'this plugin cannot share memory with others');
}

export async function listPlugins(outbound: Outbound): Promise<PluginListing[]> {
  return (await outbound.service({ op: 'plugins.list' })) as PluginListing[];
}

export async function statsAll(outbound: Outbound): Promise<Map<string, PluginStats>> {
  return (await outbound.service({ op: 'plugins.stats' })) as Map<string, PluginStats>;
}
