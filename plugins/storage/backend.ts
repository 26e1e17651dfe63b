/**
 * What a storage plugin keeps its entries in. A backend knows bytes, keys and times; what a value
 * is, and which operations there are, the plugin knows. Keys are ordered by their UTF-8 bytes.
 * An entry whose `expiresAt` is not after `now` is not there, whether it was removed or not.
 */

type MaybePromise<T> = T | Promise<T>;

export interface StoredEntry {
  readonly bytes: Uint8Array;
  /** Epoch ms; `undefined` is never. */
  readonly expiresAt: number | undefined;
}

/** Puts an entry, or deletes it where `entry` is `undefined`. */
export interface StorageWrite {
  readonly namespace: string;
  readonly key: string;
  readonly entry: StoredEntry | undefined;
}

/** Holds where the entry has exactly these bytes; `undefined`: where there is none. */
export interface StorageCheck {
  readonly namespace: string;
  readonly key: string;
  readonly bytes: Uint8Array | undefined;
}

/** Done as a whole, where all checks hold, or not at all. Of two writes to one key the later wins. */
export interface StorageChange {
  readonly writes: readonly StorageWrite[];
  readonly checks: readonly StorageCheck[];
}

export type StorageOutcome =
  /** It is durable, as far as the backend is. `existed`: for each write, whether the key was there. */
  | { readonly committed: true; readonly existed: readonly boolean[] }
  /** `failed` is the index of a check that does not hold, `current` what is there. */
  | {
      readonly committed: false;
      readonly why: 'check';
      readonly failed: number;
      readonly current: Uint8Array | undefined;
    }
  /** It would have made `bytes` of the store, more than `bytesMax`. */
  | { readonly committed: false; readonly why: 'full'; readonly bytes: number };

export interface StorageRange {
  /** The first key that may be in it. */
  readonly from: string;
  /** The first key behind it; `undefined`: there is no end. */
  readonly to: string | undefined;
}

export interface StorageScan extends StorageRange {
  /** From the last key to the first. */
  readonly reverse: boolean;
  readonly entriesMax: number;
  /** A page ends with the entry that reaches this; it has at least one. */
  readonly bytesMax: number;
  /** The bytes of the entries are not needed. */
  readonly keysOnly: boolean;
}

export interface StoragePage {
  readonly entries: readonly { readonly key: string; readonly bytes: Uint8Array | undefined }[];
  /** The last key that was looked at, where more may follow. */
  readonly last: string | undefined;
}

export interface StorageUsage {
  /** With those that have expired and are still to be removed. */
  readonly entries: number;
  /** Of all entries: UTF-8 bytes of namespace and key, and bytes of the value. */
  readonly bytes: number;
}

export interface StorageBackend {
  get(namespace: string, key: string, now: number): MaybePromise<Uint8Array | undefined>;
  commit(change: StorageChange, now: number): MaybePromise<StorageOutcome>;
  scan(namespace: string, scan: StorageScan, now: number): MaybePromise<StoragePage>;
  count(namespace: string, range: StorageRange, now: number): MaybePromise<number>;
  /** Deletes all of a namespace, and says how many there were. */
  clear(namespace: string, now: number): MaybePromise<number>;
  /** Removes at most `entriesMax` expired entries, and says how many it removed. */
  sweep(entriesMax: number, now: number): MaybePromise<number>;
  usage(): MaybePromise<StorageUsage>;
  /** Writes a copy of everything to a new folder at `path`, and gives its size in bytes. */
  backup?(path: string): MaybePromise<number>;
  /** Rejects where it cannot be used now. */
  ping?(): MaybePromise<void>;
  /** All entries, for the next version of the plugin; of a backend that keeps them in memory. */
  snapshot?(): unknown;
  restore?(snapshot: unknown): void;
  close(): MaybePromise<void>;
}

/** What the module of a backend of one's own is handed; its default export is such a function. */
export interface StorageBackendOptions {
  readonly pluginId: string;
  readonly agentId: string;
  readonly path: string | undefined;
  readonly url: string | undefined;
  /** A change that would make {@link StorageUsage.bytes} more than this is refused, if it adds to it. */
  readonly bytesMax: number;
  /** `backendOptions` of the plugin. */
  readonly options: Readonly<Record<string, unknown>>;
}

export type CreateStorageBackend = (options: StorageBackendOptions) => MaybePromise<StorageBackend>;
