/**
 * Changes become transactions: those that come while one is written go together in the next.
 *
 * A transaction is planned in JavaScript on a snapshot and written by LMDB's own thread, under the
 * condition that nobody has written since: the number of the last commit is kept as a version. So
 * checks, sizes and counts are exact with several threads on one file, and no lock is ever held
 * while JavaScript runs: a thread that is ended leaves a whole transaction, or none.
 */
import type { Database } from 'lmdb';

import type { StorageChange, StorageOutcome, StorageUsage, StoredEntry } from './backend.ts';
import { GROUP_BYTES, GROUP_OPERATIONS } from './limits.ts';
import { entryKey, expiryKey } from './lmdb-keys.ts';
import type { Uninterrupted } from './lmdb-sections.ts';
import { planChange } from './plan-change.ts';
import { fromRecord, record } from './record.ts';

export interface LmdbTables {
  readonly entries: Database<Buffer, Buffer>;
  /** What expires, by time. */
  readonly expiring: Database<Buffer, Buffer>;
  /** One record: how much there is; its version is the number of the last commit. */
  readonly meta: Database<Buffer, Buffer> & RecordLock;
}

/**
 * Between the threads of a process, released when one ends. LMDB's types leave it out. Its callback,
 * a third argument, is not to be used: it hangs the process when a thread that waits is ended.
 */
export interface RecordLock {
  tryLock(key: Buffer): boolean;
  unlock(key: Buffer): boolean;
}

type Lookup = (namespace: string, key: string) => StoredEntry | undefined;

/** What is to be changed, where that depends on what there is. */
export type MakeChange = (lookup: Lookup) => StorageChange;

interface Pending {
  readonly make: MakeChange;
  readonly size: { operations: number; bytes: number };
  resolve(outcome: StorageOutcome): void;
  reject(error: unknown): void;
}

interface Touched {
  readonly key: Buffer;
  readonly before: StoredEntry | undefined;
  after: StoredEntry | undefined;
}

const META_KEY = Buffer.from('usage');
/** Who has lost sight of the lock's owner goes on without it: it only keeps small changes from starving large ones. */
const TURN_TIMEOUT_MS = 1_000;
const SOMETHING = Buffer.from([1]);

export class LmdbCommits {
  readonly #tables: LmdbTables;
  readonly #bytesMax: number;
  readonly #uninterrupted: Uninterrupted;
  #queue: Pending[] = [];
  #writing: Promise<void> | undefined;

  constructor(
    tables: LmdbTables,
    { bytesMax, uninterrupted }: { bytesMax: number; uninterrupted: Uninterrupted },
  ) {
    this.#tables = tables;
    this.#bytesMax = bytesMax;
    this.#uninterrupted = uninterrupted;
  }

  /** Settles when the change is on disk, or refused. */
  add(change: StorageChange): Promise<StorageOutcome> {
    return this.#add(() => change, sizeOf(change));
  }

  /** The same for a change that is made of what is there at that moment. */
  addMade(make: MakeChange, operations: number): Promise<StorageOutcome> {
    return this.#add(make, { operations, bytes: 0 });
  }

  /** Settles when nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  usage(): StorageUsage {
    return this.#readMeta().usage;
  }

  #add(make: MakeChange, size: Pending['size']): Promise<StorageOutcome> {
    const outcome = new Promise<StorageOutcome>((resolve, reject) => {
      this.#queue.push({ make, size, resolve, reject });
    });
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return outcome;
  }

  async #writeAll(): Promise<void> {
    // what else came in this turn goes into the first transaction
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    while (this.#queue.length > 0) await this.#writeGroup(this.#takeGroup());
  }

  #takeGroup(): Pending[] {
    let [operations, bytes, length] = [0, 0, 0];
    for (const { size } of this.#queue) {
      operations += size.operations;
      bytes += size.bytes;
      if (length > 0 && (operations > GROUP_OPERATIONS || bytes > GROUP_BYTES)) break;
      length++;
    }
    return this.#queue.splice(0, length);
  }

  async #writeGroup(group: readonly Pending[]): Promise<void> {
    try {
      const outcomes = await this.#inTurn(() => this.#write(group));
      for (const [at, outcome] of outcomes.entries()) group[at]?.resolve(outcome);
    } catch (error) {
      // one of them may be to blame
      if (group.length === 1) group[0]?.reject(error);
      else for (const one of group) await this.#writeGroup([one]);
    }
  }

  /** One thread after the other, or a large change would never be done before a small one is. */
  async #inTurn<T>(write: () => Promise<T>): Promise<T> {
    const { meta } = this.#tables;
    const until = Date.now() + TURN_TIMEOUT_MS;
    let hasTurn = meta.tryLock(META_KEY);
    while (!hasTurn && Date.now() < until) {
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
      hasTurn = meta.tryLock(META_KEY);
    }
    try {
      return await write();
    } finally {
      if (hasTurn) meta.unlock(META_KEY);
    }
  }

  async #write(group: readonly Pending[]): Promise<StorageOutcome[]> {
    const { entries, expiring, meta } = this.#tables;
    for (;;) {
      const { version, outcomes, touched, usage } = this.#uninterrupted(() => {
        // another thread may have written
        entries.resetReadTxn();
        const { usage: before, version } = this.#readMeta();
        return { version, ...this.#plan(group, before) };
      });
      if (touched.length === 0) return outcomes;
      const isWritten = await settled(
        ifStill(meta, version, () => {
          for (const { key, before, after } of touched) {
            if (after) void entries.put(key, record(after));
            else void entries.remove(key);
            if (before?.expiresAt === after?.expiresAt) continue;
            if (before?.expiresAt) void expiring.remove(expiryKey(before.expiresAt, key));
            if (after?.expiresAt) void expiring.put(expiryKey(after.expiresAt, key), SOMETHING);
          }
          void meta.put(META_KEY, usageRecord(usage), (version ?? 0) + 1);
        }),
      );
      if (isWritten) return outcomes;
      // somebody else wrote since: again, on what is there now
    }
  }

  #plan(
    group: readonly Pending[],
    before: StorageUsage,
  ): { outcomes: StorageOutcome[]; touched: Touched[]; usage: StorageUsage } {
    const seen = new Map<string, Touched>();
    const touch = (namespace: string, key: string): Touched => {
      const bytes = entryKey(namespace, key);
      const id = bytes.toString('latin1');
      let touched = seen.get(id);
      if (!touched) {
        const found = this.#tables.entries.getBinary(bytes);
        const entry = found && fromRecord(found);
        touched = { key: bytes, before: entry, after: entry };
        seen.set(id, touched);
      }
      return touched;
    };
    const lookup: Lookup = (namespace, key) => touch(namespace, key).after;
    let usage = before;
    const now = Date.now();
    const outcomes = group.map(({ make }) => {
      const change = make(lookup);
      const plan = planChange(change, { lookup, usage, bytesMax: this.#bytesMax, now });
      usage = plan.usage;
      if (plan.outcome.committed) {
        for (const { namespace, key, entry } of change.writes) touch(namespace, key).after = entry;
      }
      return plan.outcome;
    });
    const touched = [...seen.values()].filter(({ before, after }) => before !== after);
    return { outcomes, touched, usage };
  }

  #readMeta(): { usage: StorageUsage; version: number | undefined } {
    const found = this.#tables.meta.getEntry(META_KEY);
    if (!found) return { usage: { entries: 0, bytes: 0 }, version: undefined };
    const { value, version } = found;
    return { usage: { entries: value.readDoubleBE(0), bytes: value.readDoubleBE(8) }, version };
  }
}

/** Writes where this is still the last commit; `undefined`: where there was none. */
function ifStill(
  meta: LmdbTables['meta'],
  version: number | undefined,
  write: () => void,
): Promise<boolean> {
  return version === undefined
    ? meta.ifNoExists(META_KEY, write)
    : meta.ifVersion(META_KEY, version, write);
}

function usageRecord({ entries, bytes }: StorageUsage): Buffer {
  const all = Buffer.alloc(16);
  all.writeDoubleBE(entries, 0);
  all.writeDoubleBE(bytes, 8);
  return all;
}

function sizeOf({ writes, checks }: StorageChange): Pending['size'] {
  let bytes = 0;
  for (const { entry } of writes) bytes += entry?.bytes.byteLength ?? 0;
  return { operations: writes.length + checks.length, bytes };
}

/** LMDB tells why a commit failed by a second promise, which is an unhandled rejection if nobody looks. */
async function settled(commit: Promise<boolean>): Promise<boolean> {
  try {
    return await commit;
  } catch (error) {
    if (error instanceof Error && 'commitError' in error) await error.commitError;
    throw error;
  }
}
