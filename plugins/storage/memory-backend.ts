/** Entries in the plugin's own memory: gone with its life, but carried over by a reload. */
import type {
  StorageBackend,
  StorageChange,
  StorageOutcome,
  StoragePage,
  StorageRange,
  StorageScan,
  StorageUsage,
  StorageWrite,
  StoredEntry,
} from './backend.ts';
import { byteOrder, fromByteOrder } from './key-range.ts';
import { alive, bytesOf, planChange } from './plan-change.ts';
import { SortedKeys } from './sorted-keys.ts';
import { StorageError } from './storage-error.ts';

interface Namespace {
  readonly entries: Map<string, StoredEntry>;
  readonly keys: SortedKeys;
  /** Keys of the entries that expire. */
  readonly expiring: Set<string>;
}

export class MemoryBackend implements StorageBackend {
  readonly #bytesMax: number;
  readonly #namespaces = new Map<string, Namespace>();
  #usage: StorageUsage = { entries: 0, bytes: 0 };

  constructor({ bytesMax }: { bytesMax: number }) {
    this.#bytesMax = bytesMax;
  }

  get(namespace: string, key: string, now: number): Uint8Array | undefined {
    return alive(this.#lookup(namespace, key), now)?.bytes;
  }

  commit(change: StorageChange, now: number): StorageOutcome {
    const { outcome, usage } = planChange(change, {
      lookup: (namespace, key) => this.#lookup(namespace, key),
      usage: this.#usage,
      bytesMax: this.#bytesMax,
      now,
    });
    if (outcome.committed) {
      for (const { namespace, key, entry } of change.writes) {
        if (entry) this.#set(namespace, key, entry);
        else this.#remove(namespace, key);
      }
      this.#usage = usage;
    }
    return outcome;
  }

  scan(namespace: string, scan: StorageScan, now: number): StoragePage {
    const { keys, entries: all } = this.#namespaces.get(namespace) ?? NO_NAMESPACE;
    const { from, to, reverse, entriesMax, bytesMax, keysOnly } = scan;
    const entries: { key: string; bytes: Uint8Array | undefined }[] = [];
    let bytes = 0;
    for (const ordered of keys.between(byteOrder(from), bound(to), reverse)) {
      const key = fromByteOrder(ordered);
      const entry = alive(all.get(key), now);
      if (!entry) continue;
      entries.push({ key, bytes: keysOnly ? undefined : entry.bytes });
      if (!keysOnly) bytes += entry.bytes.byteLength;
      if (entries.length >= entriesMax || bytes >= bytesMax) return { entries, last: key };
    }
    return { entries, last: undefined };
  }

  count(namespace: string, { from, to }: StorageRange, now: number): number {
    const space = this.#namespaces.get(namespace);
    if (!space) return 0;
    this.#sweep(namespace, space, Infinity, now);
    return space.keys.count(byteOrder(from), bound(to));
  }

  clear(namespace: string, now: number): number {
    const space = this.#namespaces.get(namespace);
    if (!space) return 0;
    this.#sweep(namespace, space, Infinity, now);
    let bytes = 0;
    for (const [key, entry] of space.entries) bytes += bytesOf(namespace, key, entry);
    const { size } = space.entries;
    this.#namespaces.delete(namespace);
    this.#usage = { entries: this.#usage.entries - size, bytes: this.#usage.bytes - bytes };
    return size;
  }

  sweep(entriesMax: number, now: number): number {
    let swept = 0;
    for (const [name, space] of this.#namespaces) {
      swept += this.#sweep(name, space, entriesMax - swept, now);
      if (swept >= entriesMax) break;
    }
    return swept;
  }

  usage(): StorageUsage {
    return this.#usage;
  }

  /** By namespace, so that a version that has other ideas of memory can read it. */
  snapshot(): Map<string, Map<string, StoredEntry>> {
    return new Map(Array.from(this.#namespaces, ([name, { entries }]) => [name, entries]));
  }

  restore(snapshot: unknown): void {
    if (!(snapshot instanceof Map)) return;
    const writes: StorageWrite[] = [];
    for (const [namespace, entries] of snapshot as ReturnType<MemoryBackend['snapshot']>) {
      for (const [key, entry] of entries) writes.push({ namespace, key, entry });
    }
    const { committed } = this.commit({ writes, checks: [] }, Date.now());
    if (!committed) throw new StorageError('STORAGE_FULL', 'what was there is more than maxBytes');
  }

  close(): void {
    this.#namespaces.clear();
  }

  #lookup(namespace: string, key: string): StoredEntry | undefined {
    return this.#namespaces.get(namespace)?.entries.get(key);
  }

  #set(namespace: string, key: string, entry: StoredEntry): void {
    let space = this.#namespaces.get(namespace);
    if (!space) {
      space = { entries: new Map(), keys: new SortedKeys(), expiring: new Set() };
      this.#namespaces.set(namespace, space);
    }
    if (!space.entries.has(key)) space.keys.add(byteOrder(key));
    space.entries.set(key, entry);
    if (entry.expiresAt === undefined) space.expiring.delete(key);
    else space.expiring.add(key);
  }

  #remove(namespace: string, key: string): void {
    const space = this.#namespaces.get(namespace);
    if (!space?.entries.delete(key)) return;
    space.keys.delete(byteOrder(key));
    space.expiring.delete(key);
    if (space.entries.size === 0) this.#namespaces.delete(namespace);
  }

  #sweep(namespace: string, space: Namespace, entriesMax: number, now: number): number {
    const expired: string[] = [];
    for (const key of space.expiring) {
      if (expired.length >= entriesMax) break;
      if (!alive(space.entries.get(key), now)) expired.push(key);
    }
    const writes = expired.map((key) => ({ namespace, key, entry: undefined }));
    if (writes.length > 0) this.commit({ writes, checks: [] }, now);
    return expired.length;
  }
}

const NO_NAMESPACE: Namespace = {
  entries: new Map(),
  keys: new SortedKeys(),
  expiring: new Set(),
};

function bound(to: string | undefined): string | undefined {
  return to === undefined ? undefined : byteOrder(to);
}
