/** What makes changes durable: a storage plugin, or nobody. */
import type { PluginContext } from 'troupe/plugin';

import type { Change } from './entries.ts';
import { recordOf } from './record.ts';
import type { MemorySettings } from './settings.ts';

export interface Keeper {
  /** Settles when they are durable, all together. */
  commit(changes: readonly Change[]): Promise<void>;
  /** All that is kept and can be read, in the order of their keys. */
  scan(timeoutMs: number): AsyncIterable<unknown>;
  /** How many are kept. */
  count(): Promise<unknown>;
}

/** Entries live in the plugin's thread alone. */
export const NOBODY: Keeper = {
  commit: () => Promise.resolve(),
  async *scan() {},
  count: () => Promise.resolve(0),
};

export function storageKeeper(
  ctx: PluginContext,
  storage: string,
  { storageNamespace: namespace, storageTimeoutMs, embedderModel }: MemorySettings,
): Keeper {
  return {
    async commit(changes) {
      const operations = changes.map(({ kind, item: { entry, vector } }) =>
        kind === 'put'
          ? { op: 'put', key: entry.id, value: recordOf(entry, vector, embedderModel) }
          : { op: 'delete', key: entry.id },
      );
      // Keys and values are told, so it does not matter if the storage does it twice.
      const options = { timeoutMs: storageTimeoutMs, idempotent: true };
      await ctx.call(storage, { op: 'batch', namespace, operations }, options);
    },
    scan: (timeoutMs) =>
      ctx.stream(storage, { op: 'scan', namespace, unreadable: 'skip' }, { timeoutMs }),
    count: () => ctx.call(storage, { op: 'count', namespace }, { timeoutMs: storageTimeoutMs }),
  };
}
