/** The storage plugin: keys and values of any kind, in LMDB, in memory, in Redis, or in a backend of one's own. */
import { definePlugin } from 'troupe/plugin';

import { messageOf } from '../coded-error.ts';
import type { StorageBackend } from './backend.ts';
import { createBackend, type StorageConfig } from './create-backend.ts';
import { decodeInput } from './input.ts';
import { BUSY_VITAL_MS, SWEEP_MS } from './limits.ts';
import { asStorageError, Store } from './store.ts';
import type { StorageEntry, StorageInput, StorageOp } from './types.ts';
import { within } from './within.ts';

const KEPT_ELSEWHERE: ReadonlySet<string> = new Set(['lmdb', 'redis']);

export default definePlugin((ctx) => {
  // checked by the factory
  const config = ctx.config as unknown as StorageConfig;
  const sweepMs = config.sweepMs ?? SWEEP_MS;
  const operations: Partial<Record<StorageOp, number>> = {};
  let backend: StorageBackend | undefined;
  let store: Store | undefined;
  let timer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void> | undefined;
  let isStopped = false;
  let open = 0;

  const sweepAgain = (): void => {
    if (!store || sweepMs === 0) return;
    sweeping ??= store
      .sweep(() => !isStopped)
      .catch((error: unknown) => {
        ctx.log.warn('expired entries were not removed', { reason: messageOf(error) });
      })
      .finally(() => {
        sweeping = undefined;
      });
  };
  const stopSweeping = async (): Promise<void> => {
    clearInterval(timer);
    timer = undefined;
    isStopped = true;
    await sweeping;
  };
  async function* counted(entries: AsyncIterable<StorageEntry>): AsyncGenerator<StorageEntry> {
    open++;
    try {
      yield* entries;
    } finally {
      open--;
    }
  }
  const startSweeping = (): void => {
    isStopped = false;
    if (sweepMs > 0) timer = setInterval(sweepAgain, sweepMs).unref();
  };

  return {
    async init() {
      backend = await createBackend(config, {
        pluginId: ctx.id,
        agentId: ctx.agentId,
        generation: ctx.generation,
        log: ctx.log,
        modules: ctx.modules,
        uninterrupted: (work) => ctx.uninterrupted(work),
      });
      store = new Store(backend, config.maxBytes ?? Infinity);
    },
    start: startSweeping,
    pause: stopSweeping,
    resume: startSweeping,
    stop: stopSweeping,
    async unload() {
      await stopSweeping();
      await backend?.close();
      backend = undefined;
    },
    async execute(raw, call) {
      if (!store) throw new Error('the storage is not initialized');
      const input = decodeInput(raw);
      operations[input.op] = (operations[input.op] ?? 0) + 1;
      ctx.metrics.counter('storage_operations_total', { op: input.op }).add();
      if (call.isStream && input.op === 'scan') return counted(store.entries(input));
      open++;
      try {
        return await untilGivenUp(perform(store, input), call.signal);
      } catch (error) {
        throw asStorageError(error);
      } finally {
        open--;
      }
    },
    async health() {
      try {
        await within(backend?.ping?.(), config.vitalMs);
        return { healthy: true, backend: config.backend };
      } catch (error) {
        return { healthy: false, backend: config.backend, reason: messageOf(error) };
      }
    },
    async stats() {
      const timeoutMs = open > 0 ? Math.min(BUSY_VITAL_MS, config.vitalMs) : config.vitalMs;
      return { backend: config.backend, ...(await store?.stats(timeoutMs)), operations };
    },
    // what is kept elsewhere is there for the next version as well
    ...(KEPT_ELSEWHERE.has(config.backend)
      ? {}
      : {
          snapshot: () => backend?.snapshot?.(),
          restore(snapshot: unknown) {
            if (snapshot !== undefined) backend?.restore?.(snapshot);
          },
        }),
  };
});

function perform(store: Store, input: StorageInput): unknown {
  switch (input.op) {
    case 'scan':
      return store.scan(input);
    case 'get':
      return store.get(input);
    case 'put':
      return store.put(input);
    case 'delete':
      return store.delete(input);
    case 'has':
      return store.has(input);
    case 'batch':
      return store.batch(input);
    case 'cas':
      return store.cas(input);
    case 'count':
      return store.count(input);
    case 'clear':
      return store.clear(input);
    case 'backup':
      return store.backup(input);
  }
}

/**
 * A caller who gave up is answered at once, also where a disk or a server is slow: what it asked
 * for goes on, and the thread with all other calls is not ended for it.
 */
async function untilGivenUp(work: unknown, signal: AbortSignal): Promise<unknown> {
  signal.throwIfAborted();
  // listeners go with the signal, which is the call's own
  const givenUp = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
  return Promise.race([work, givenUp]);
}
