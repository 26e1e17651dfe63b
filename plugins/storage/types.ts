/** What the storage plugin is asked, and what it answers. */

interface InNamespace {
  /** Keys of different namespaces have nothing to do with each other. Default `'default'`. */
  namespace?: string;
}

interface OfKey extends InNamespace {
  /** Not empty; with its namespace at most 1,960 bytes of UTF-8. */
  key: string;
}

interface Lasting {
  /** The entry is gone after this time (ms, from 1). Default: it stays. */
  ttlMs?: number;
}

export interface StorageRangeInput extends InNamespace {
  /** Only keys that begin with it. */
  prefix?: string;
  /** The first key that may come. */
  start?: string;
  /** The first key that may not come any more. */
  end?: string;
  /** From the last key to the first. Default false. */
  reverse?: boolean;
  /** Entries at most; for an array up to 10,000. */
  limit?: number;
  /** Entries have no `value`, which is then not read. Default false. */
  keysOnly?: boolean;
  /**
   * What a value that cannot be read does: `'fail'` ends the scan with `STORAGE_CORRUPT`, `'skip'`
   * leaves the entry out, and counts it as `unreadable` in the stats. Default `'fail'`.
   */
  unreadable?: 'fail' | 'skip';
}

export type StorageOperation =
  | ({ op: 'put'; value: unknown } & OfKey & Lasting)
  | ({ op: 'delete' } & OfKey);

/** Holds where the value is deeply equal to `expected`; `undefined`: where there is none. */
export type StorageCondition = { expected?: unknown } & OfKey;

export type StorageInput =
  | ({ op: 'get' } & OfKey)
  | ({ op: 'put'; value: unknown } & OfKey & Lasting)
  | ({ op: 'delete' } & OfKey)
  | ({ op: 'has' } & OfKey)
  | ({ op: 'scan' } & StorageRangeInput)
  | ({
      op: 'batch';
      operations: readonly StorageOperation[];
      conditions?: readonly StorageCondition[];
    } & InNamespace)
  | ({ op: 'cas'; expected?: unknown; value: unknown } & OfKey & Lasting)
  | ({ op: 'count'; prefix?: string } & InNamespace)
  | ({ op: 'clear' } & InNamespace)
  | { op: 'backup'; path: string };

export type StorageOp = StorageInput['op'];

export interface StorageEntry<T = unknown> {
  key: string;
  /** Not there with `keysOnly`. */
  value?: T;
}

export interface StorageBatchResult {
  /** Operations that were done: all, or 0 where a condition did not hold. */
  applied: number;
  /** The condition that did not hold, and what is there. */
  failed?: { namespace: string; key: string; current: unknown };
}

export interface StorageCasResult<T = unknown> {
  swapped: boolean;
  /** What is there, where it was not swapped. */
  current?: T | undefined;
}

export interface StorageBackupResult {
  path: string;
  bytes: number;
}

/** What each operation answers. */
export interface StorageOutputs {
  get: unknown;
  put: undefined;
  delete: boolean;
  has: boolean;
  scan: StorageEntry[];
  batch: StorageBatchResult;
  cas: StorageCasResult;
  count: number;
  clear: number;
  backup: StorageBackupResult;
}

export type StorageOutput = StorageOutputs[StorageOp];
