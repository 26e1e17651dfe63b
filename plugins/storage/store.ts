/** The operations, on any backend: what values and times to live are, and what a scan reads at once. */
import { messageOf } from '../coded-error.ts';
import type {
  StorageBackend,
  StorageCheck,
  StorageOutcome,
  StorageUsage,
  StorageWrite,
  StoredEntry,
} from './backend.ts';
import { DEFAULT_NAMESPACE } from './input.ts';
import { behindLast, isEmpty, rangeOf } from './key-range.ts';
import { SCAN_PAGE_BYTES, SCAN_PAGE_ENTRIES, SCAN_RESULTS_MAX, SWEEP_ENTRIES } from './limits.ts';
import { StorageError } from './storage-error.ts';
import type {
  StorageBackupResult,
  StorageBatchResult,
  StorageCasResult,
  StorageCondition,
  StorageEntry,
  StorageInput,
  StorageOperation,
  StorageRangeInput,
} from './types.ts';
import { areSameValue, decodeValue, encodeValue, type Place } from './value-codec.ts';
import { within } from './within.ts';

type InputOf<Op> = Extract<StorageInput, { op: Op }>;
type Committed = Extract<StorageOutcome, { committed: true }>;
type Failed = Extract<StorageOutcome, { why: 'check' }>;

export class Store {
  readonly #backend: StorageBackend;
  readonly #bytesMax: number;
  #swept = 0;
  #refused = 0;
  #unreadable = 0;

  constructor(backend: StorageBackend, bytesMax: number) {
    this.#backend = backend;
    this.#bytesMax = bytesMax;
  }

  async get({ namespace = DEFAULT_NAMESPACE, key }: InputOf<'get'>): Promise<unknown> {
    const bytes = await this.#backend.get(namespace, key, Date.now());
    return bytes && decodeValue(bytes, { namespace, key });
  }

  async has({ namespace = DEFAULT_NAMESPACE, key }: InputOf<'has'>): Promise<boolean> {
    return (await this.#backend.get(namespace, key, Date.now())) !== undefined;
  }

  async put(input: InputOf<'put'>): Promise<void> {
    await this.#commit([writeOf(input, input.namespace)], []);
  }

  async delete(input: InputOf<'delete'>): Promise<boolean> {
    const outcome = await this.#commit([writeOf(input, input.namespace)], []);
    return outcome.committed && outcome.existed[0] === true;
  }

  async cas(input: InputOf<'cas'>): Promise<StorageCasResult> {
    const write = writeOf({ ...input, op: 'put' }, input.namespace);
    const outcome = await this.#commit([write], [checkOf(input, input.namespace)]);
    return outcome.committed
      ? { swapped: true }
      : { swapped: false, current: currentOf(outcome, write) };
  }

  async batch({
    namespace,
    operations,
    conditions = [],
  }: InputOf<'batch'>): Promise<StorageBatchResult> {
    const writes = operations.map((operation) => writeOf(operation, namespace));
    const checks = conditions.map((condition) => checkOf(condition, namespace));
    const outcome = await this.#commit(writes, checks);
    if (outcome.committed) return { applied: writes.length };
    const failed = checks[outcome.failed];
    if (!failed) throw new StorageError('STORAGE_FAILED', 'the backend names no condition');
    const current = currentOf(outcome, failed);
    return { applied: 0, failed: { namespace: failed.namespace, key: failed.key, current } };
  }

  /** Page by page, so that only one is held in memory. */
  async *entries({
    namespace = DEFAULT_NAMESPACE,
    reverse = false,
    limit = Infinity,
    keysOnly = false,
    unreadable = 'fail',
    ...bounds
  }: StorageRangeInput): AsyncGenerator<StorageEntry> {
    let range = rangeOf(bounds);
    let left = limit;
    while (left > 0 && !isEmpty(range)) {
      const page = await this.#backend.scan(
        namespace,
        {
          ...range,
          reverse,
          keysOnly,
          entriesMax: Math.min(left, SCAN_PAGE_ENTRIES),
          bytesMax: SCAN_PAGE_BYTES,
        },
        Date.now(),
      );
      for (const { key, bytes } of page.entries) {
        const entry =
          keysOnly || !bytes ? { key } : this.#entry(bytes, { namespace, key }, unreadable);
        if (!entry) continue;
        left--;
        yield entry;
      }
      if (page.last === undefined) return;
      range = behindLast(range, page.last, reverse);
    }
  }

  async scan(input: InputOf<'scan'>): Promise<StorageEntry[]> {
    const { limit = Infinity } = input;
    const remedy = 'read it as a stream, or in parts by limit and start';
    const max = String(SCAN_RESULTS_MAX);
    if (limit > SCAN_RESULTS_MAX && limit !== Infinity) {
      const message = `limit is ${String(limit)}, at most ${max} entries come in one array: ${remedy}`;
      throw new StorageError('STORAGE_SCAN_TOO_LONG', message);
    }
    const all: StorageEntry[] = [];
    for await (const entry of this.entries(input)) {
      if (all.length === SCAN_RESULTS_MAX) {
        const message = `there are more than ${max} entries, which is the most for one array: ${remedy}`;
        throw new StorageError('STORAGE_SCAN_TOO_LONG', message);
      }
      all.push(entry);
    }
    return all;
  }

  async count({ namespace = DEFAULT_NAMESPACE, prefix }: InputOf<'count'>): Promise<number> {
    return this.#backend.count(namespace, rangeOf({ prefix }), Date.now());
  }

  async clear({ namespace = DEFAULT_NAMESPACE }: InputOf<'clear'>): Promise<number> {
    return this.#backend.clear(namespace, Date.now());
  }

  async backup({ path }: InputOf<'backup'>): Promise<StorageBackupResult> {
    if (!this.#backend.backup) {
      throw new StorageError(
        'STORAGE_BACKUP_UNSUPPORTED',
        "this backend cannot make a backup: use 'lmdb', or the tools of the server",
      );
    }
    return { path, bytes: await this.#backend.backup(path) };
  }

  /** Removes what has expired, until there is no more of it or `goOn` says no. */
  async sweep(goOn: () => boolean): Promise<void> {
    for (let swept = SWEEP_ENTRIES; swept >= SWEEP_ENTRIES && goOn();) {
      swept = await this.#backend.sweep(SWEEP_ENTRIES, Date.now());
      this.#swept += swept;
    }
  }

  /** What the backend does not say in time is left out; `reason` says so. */
  async stats(timeoutMs: number): Promise<Record<string, unknown>> {
    return {
      ...(await this.#usage(timeoutMs)),
      bytesMax: Number.isFinite(this.#bytesMax) ? this.#bytesMax : undefined,
      swept: this.#swept,
      refusedAsFull: this.#refused,
      unreadable: this.#unreadable,
    };
  }

  async #usage(timeoutMs: number): Promise<StorageUsage | { reason: string }> {
    try {
      const { entries, bytes } = await within(this.#backend.usage(), timeoutMs);
      return { entries, bytes };
    } catch (error) {
      return { reason: messageOf(error) };
    }
  }

  /** `undefined`: it is to be passed over. */
  #entry(bytes: Uint8Array, place: Place, unreadable: 'fail' | 'skip'): StorageEntry | undefined {
    try {
      return { key: place.key, value: decodeValue(bytes, place) };
    } catch (error) {
      if (unreadable === 'fail') throw error;
      this.#unreadable++;
      return undefined;
    }
  }

  /** Checks compare bytes; where a check fails of the same value in other bytes, it is made with those. */
  async #commit(
    writes: readonly StorageWrite[],
    wanted: readonly StorageCheck[],
  ): Promise<Committed | Failed> {
    const checks = [...wanted];
    let isSwept = false;
    for (;;) {
      const outcome = await this.#backend.commit({ writes, checks }, Date.now());
      if (outcome.committed) return outcome;
      if (outcome.why === 'check') {
        const check = checks[outcome.failed];
        const { current } = outcome;
        if (!check?.bytes || !current || !areSameValue(current, check.bytes, check)) {
          return outcome;
        }
        checks[outcome.failed] = { ...check, bytes: current };
      } else if (isSwept) {
        this.#refused++;
        throw full(outcome.bytes, this.#bytesMax);
      } else {
        await this.sweep(() => true);
        isSwept = true;
      }
    }
  }
}

function full(bytes: number, bytesMax: number): StorageError {
  return new StorageError(
    'STORAGE_FULL',
    `the store would have ${String(bytes)} bytes, more than maxBytes (${String(bytesMax)}): delete entries, or raise maxBytes; nothing was written`,
  );
}

function writeOf(operation: StorageOperation, namespace = DEFAULT_NAMESPACE): StorageWrite {
  const { key } = operation;
  const where = { namespace: operation.namespace ?? namespace, key };
  if (operation.op === 'delete') return { ...where, entry: undefined };
  const { ttlMs } = operation;
  const entry: StoredEntry = {
    bytes: encodeValue(operation.value, where),
    expiresAt: ttlMs === undefined ? undefined : Date.now() + ttlMs,
  };
  return { ...where, entry };
}

function checkOf(
  { namespace: own, key, expected }: StorageCondition,
  namespace = DEFAULT_NAMESPACE,
): StorageCheck {
  const where = { namespace: own ?? namespace, key };
  return { ...where, bytes: expected === undefined ? undefined : encodeValue(expected, where) };
}

function currentOf({ current }: Failed, place: Place): unknown {
  return current && decodeValue(current, place);
}

/** For what a backend throws that has no code of ours. */
export function asStorageError(error: unknown): Error {
  if (error instanceof StorageError) return error;
  const message = `the backend failed: ${messageOf(error)}`;
  return new StorageError('STORAGE_FAILED', message, { cause: error });
}
