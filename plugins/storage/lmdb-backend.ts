/** Entries in LMDB: one file, which threads and processes may share. */
import { mkdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { RootDatabase } from 'lmdb';

import { messageOf } from '../coded-error.ts';
import type {
  StorageBackend,
  StorageChange,
  StorageOutcome,
  StoragePage,
  StorageRange,
  StorageScan,
  StorageUsage,
  StorageWrite,
} from './backend.ts';
import { CHECKED_BYTES_MAX, GROUP_OPERATIONS, SWEEP_ENTRIES } from './limits.ts';
import { faultOf } from './lmdb-check.ts';
import { LmdbCommits, type LmdbTables } from './lmdb-commits.ts';
import { entryKey, expiredEnd, fromEntryKey, fromExpiryKey, namespaceEnd } from './lmdb-keys.ts';
import { inSections, loadLmdb, type Uninterrupted } from './lmdb-sections.ts';
import { alive } from './plan-change.ts';
import { fromRecord } from './record.ts';
import { StorageError } from './storage-error.ts';

const DATA_FILE = 'data.mdb';
const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;
/** Of the file system's last bytes LMDB can use none. */
const FREE_BYTES_MIN = 1_048_576;
const ENOSPC = 28;
const BROKEN = /^MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID|PANIC|BAD_TXN)/;

export interface LmdbOptions {
  /** The folder, as messages are to name it. */
  path: string;
  bytesMax: number;
  /** Whether all of the file is to be looked at, and not only its first pages. */
  isChecked: boolean;
  uninterrupted: Uninterrupted;
}

/** Opens the folder, and makes it where it is not there. */
export async function openLmdb({
  path,
  bytesMax,
  isChecked,
  uninterrupted,
}: LmdbOptions): Promise<StorageBackend> {
  let fault: string | undefined;
  try {
    await mkdir(path, { recursive: true });
    fault = await faultOf(join(path, DATA_FILE), isChecked ? CHECKED_BYTES_MAX : 0);
  } catch (error) {
    throw new StorageError(
      'STORAGE_FAILED',
      `the folder ${path} cannot be used: ${codeOf(error)}: give the plugin a path that it may write to`,
    );
  }
  if (fault) throw corrupt(path, fault);
  const { open } = loadLmdb(uninterrupted);
  const options = {
    ...BINARY,
    path,
    // a folder, also where its name has a dot
    noSubdir: false,
    maxDbs: 4,
    permissionsMode: 0o600,
    // a commit is acknowledged when it is on disk
    overlappingSync: false,
    // a transaction is handed over when it is complete: a thread may end at any moment before
    eventTurnBatching: false,
    batchStartThreshold: Infinity,
  };
  let root: RootDatabase<Buffer, Buffer> | undefined;
  const openTables = (opened: RootDatabase<Buffer, Buffer>): LmdbTables => ({
    entries: opened.openDB({ name: 'entries', ...BINARY }),
    expiring: opened.openDB({ name: 'expiring', ...BINARY }),
    meta: opened.openDB({
      name: 'meta',
      ...BINARY,
      useVersions: true,
    }) as LmdbTables['meta'],
  });
  try {
    const opened = uninterrupted(() => open<Buffer, Buffer>(options));
    root = opened;
    inSections(opened, uninterrupted);
    const tables = uninterrupted(() => openTables(opened));
    return new LmdbBackend({ root, tables, path, bytesMax, uninterrupted });
  } catch (error) {
    await root?.close();
    throw corrupt(path, messageOf(error));
  }
}

class LmdbBackend implements StorageBackend {
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #tables: LmdbTables;
  readonly #commits: LmdbCommits;
  readonly #path: string;
  readonly #uninterrupted: Uninterrupted;

  constructor({
    root,
    tables,
    path,
    bytesMax,
    uninterrupted,
  }: Omit<LmdbOptions, 'isChecked'> & {
    root: RootDatabase<Buffer, Buffer>;
    tables: LmdbTables;
  }) {
    this.#root = root;
    this.#tables = tables;
    this.#path = path;
    this.#uninterrupted = uninterrupted;
    this.#commits = new LmdbCommits(tables, { bytesMax, uninterrupted });
  }

  get(namespace: string, key: string, now: number): Uint8Array | undefined {
    const found = this.#read(({ entries }) => entries.getBinary(entryKey(namespace, key)));
    return found && alive(fromRecord(found), now)?.bytes;
  }

  async commit(change: StorageChange): Promise<StorageOutcome> {
    return this.#written(this.#commits.add(change));
  }

  scan(namespace: string, scan: StorageScan, now: number): StoragePage {
    const { entriesMax, bytesMax, keysOnly, reverse } = scan;
    const range = { ...bounds(namespace, scan, reverse), reverse };
    const page: { key: string; bytes: Uint8Array | undefined }[] = [];
    let bytes = 0;
    return this.#read(({ entries }) => {
      for (const { key: raw, value } of entries.getRange(range)) {
        const { key } = fromEntryKey(raw);
        const entry = alive(fromRecord(value), now);
        if (!entry) continue;
        page.push({ key, bytes: keysOnly ? undefined : entry.bytes });
        bytes += entry.bytes.byteLength;
        if (page.length >= entriesMax || bytes >= bytesMax) return { entries: page, last: key };
      }
      return { entries: page, last: undefined };
    });
  }

  async count(namespace: string, range: StorageRange, now: number): Promise<number> {
    while ((await this.sweep(SWEEP_ENTRIES, now)) === SWEEP_ENTRIES);
    return this.#read(({ entries }) => entries.getKeysCount(bounds(namespace, range, false)));
  }

  /** In several transactions, so that neither memory nor others' calls suffer. */
  async clear(namespace: string): Promise<number> {
    let cleared = 0;
    const { start: first, end } = bounds(namespace, { from: '', to: undefined }, false);
    let start = first;
    for (;;) {
      const part = { start, end, limit: GROUP_OPERATIONS };
      const keys = this.#read(({ entries }) => [...entries.getKeys(part)]);
      const last = keys.at(-1);
      if (!last) return cleared;
      const writes = keys.map((raw) => removal(fromEntryKey(raw)));
      const outcome = await this.commit({ writes, checks: [] });
      if (outcome.committed) cleared += outcome.existed.filter(Boolean).length;
      start = Buffer.concat([last, Buffer.from([0])]);
    }
  }

  async sweep(entriesMax: number, now: number): Promise<number> {
    const due = { end: expiredEnd(now), limit: entriesMax };
    const keys = this.#read(({ expiring }) => [...expiring.getKeys(due)]);
    if (keys.length === 0) return 0;
    let swept = 0;
    await this.#written(
      this.#commits.addMade((lookup) => {
        const expired = keys.map(fromExpiryKey).filter(({ namespace, key }) => {
          const entry = lookup(namespace, key);
          return entry && !alive(entry, now);
        });
        swept = expired.length;
        return { writes: expired.map(removal), checks: [] };
      }, keys.length),
    );
    return swept;
  }

  usage(): StorageUsage {
    return this.#read(() => this.#commits.usage());
  }

  /** Of one moment, while others read and write; there once it is whole. */
  async backup(path: string): Promise<number> {
    if (await exists(path)) {
      const message = `${path} is there already: name a folder that is not`;
      throw new StorageError('STORAGE_BACKUP_FAILED', message);
    }
    const draft = `${path}.draft-${String(process.pid)}-${String(Date.now())}`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await mkdir(draft);
      await this.#root.backup(draft, true);
      const { size } = await stat(join(draft, DATA_FILE));
      await rename(draft, path);
      return size;
    } catch (error) {
      // where no draft could be, there is none to remove
      await rm(draft, { recursive: true, force: true }).catch(() => undefined);
      const message = `the backup to ${path} was not made: ${codeOf(error)}`;
      throw new StorageError('STORAGE_BACKUP_FAILED', message, { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#commits.idle();
    await this.#root.close();
  }

  #read<T>(read: (tables: LmdbTables) => T): T {
    try {
      return this.#uninterrupted(() => {
        // what other threads have written counts as well
        this.#tables.entries.resetReadTxn();
        return read(this.#tables);
      });
    } catch (error) {
      throw BROKEN.test(messageOf(error)) ? corrupt(this.#path, messageOf(error)) : error;
    }
  }

  async #written<T>(commit: Promise<T>): Promise<T> {
    try {
      return await commit;
    } catch (error) {
      if (await this.#isDiskFull(error)) {
        const message = 'the disk is full: free some space; nothing was written';
        throw new StorageError('STORAGE_FULL', message, { cause: error });
      }
      throw BROKEN.test(messageOf(error)) ? corrupt(this.#path, messageOf(error)) : error;
    }
  }

  /** LMDB says no more than that a page was not written. */
  async #isDiskFull(error: unknown): Promise<boolean> {
    if (error instanceof Error && 'code' in error && error.code === ENOSPC) return true;
    try {
      const { bavail, bsize } = await statfs(this.#path);
      return bavail * bsize < FREE_BYTES_MIN;
    } catch {
      return false;
    }
  }
}

function bounds(
  namespace: string,
  { from, to }: StorageRange,
  reverse: boolean,
): { start: Buffer; end: Buffer; exclusiveStart?: boolean; inclusiveEnd?: boolean } {
  const first = entryKey(namespace, from);
  const behind = to === undefined ? namespaceEnd(namespace) : entryKey(namespace, to);
  // in reverse, LMDB starts at the end
  return reverse
    ? { start: behind, end: first, exclusiveStart: true, inclusiveEnd: true }
    : { start: first, end: behind };
}

function removal({ namespace, key }: { namespace: string; key: string }): StorageWrite {
  return { namespace, key, entry: undefined };
}

function corrupt(path: string, why: string): StorageError {
  return new StorageError(
    'STORAGE_CORRUPT',
    `the database in ${path} cannot be read: ${why}. Put a backup in its place, or move the folder away to start with an empty one`,
  );
}

/** A path of the host's own does not belong into a message. */
function codeOf(error: unknown): string {
  if (error instanceof StorageError) return error.message;
  return error instanceof Error && 'code' in error ? String(error.code) : 'for no reason given';
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
