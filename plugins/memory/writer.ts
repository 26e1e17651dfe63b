/**
 * The one place where what is remembered changes. Changes wait in a row; those that wait are made
 * durable together, and only then are they seen, and their callers answered. One batch is under way
 * at a time, so storage and memory see the same order, and nobody needs a lock.
 */
import { setImmediate } from 'node:timers/promises';

import { messageOf } from '../coded-error.ts';
import type { Change, Entries } from './entries.ts';
import type { Item } from './item.ts';
import type { Keeper } from './keeper.ts';
import { MemoryError } from './memory-error.ts';
import type { Parts, Tally } from './parts.ts';

/** What is there, with the changes before this one. */
export interface View {
  get(namespace: string, id: string): Item | undefined;
}

/** Decides in its turn; throws to refuse. */
export type Plan<T> = (view: View) => { changes: Change[]; result: T };

interface Job {
  plan: Plan<unknown>;
  isAlone: boolean;
  resolve: (result: never) => void;
  reject: (error: unknown) => void;
}

const CHANGES_MAX = 256;
/** Texts may be large, and a call carries no more than `payloadBytesMax`. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;

export class Writer {
  readonly #entries: Entries;
  readonly #keeper: Keeper;
  readonly #tally: Tally;
  readonly #waiting: Job[] = [];
  /** By id; of these it is not known what the storage has, because a write of them failed. */
  readonly #doubts = new Map<string, Item>();
  #work: Promise<void> | undefined;
  /** Why the last write failed; `undefined` when it did not. */
  trouble: string | undefined;

  constructor({ entries, keeper, tally }: Pick<Parts, 'entries' | 'keeper' | 'tally'>) {
    this.#entries = entries;
    this.#keeper = keeper;
    this.#tally = tally;
  }

  /** `isAlone`: looks at everything, so that nothing else is in its batch. */
  write<T>(plan: Plan<T>, { isAlone = false }: { isAlone?: boolean } = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ plan, isAlone, resolve, reject });
      this.#work ??= this.#run();
    });
  }

  /** Settles when nothing is under way. */
  async idle(): Promise<void> {
    await this.#work;
  }

  /** Puts right what the storage may have wrong; if it does not answer now, another time. */
  async mend(): Promise<void> {
    if (this.#doubts.size === 0) return;
    await this.write(() => NOTHING);
    await this.idle();
  }

  async #run(): Promise<void> {
    // for company
    await setImmediate();
    for (let jobs = this.#take(); jobs.length > 0; jobs = this.#take()) await this.#commit(jobs);
    this.#work = undefined;
  }

  #take(): Job[] {
    const end = this.#waiting.findIndex(({ isAlone }) => isAlone);
    return this.#waiting.splice(
      0,
      end === -1 ? CHANGES_MAX : Math.max(1, Math.min(end, CHANGES_MAX)),
    );
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    const overlay = new Overlay(this.#entries);
    const planned: { job: Job; result: unknown }[] = [];
    const changes: Change[] = [];
    for (const job of jobs) {
      try {
        const plan = job.plan(overlay);
        overlay.add(plan.changes);
        changes.push(...plan.changes);
        planned.push({ job, result: plan.result });
      } catch (error) {
        job.reject(error);
      }
    }
    const parts = [...partsOf(changes)];
    if (parts.length > 1 && jobs.length > 1) {
      const half = jobs.length >> 1;
      await this.#commit(jobs.slice(0, half));
      await this.#commit(jobs.slice(half));
      return;
    }
    try {
      for (const part of parts) await this.#makeDurable(part);
    } catch (error) {
      const callers = planned.map(({ job }) => job);
      await this.#failed(callers, error);
      return;
    }
    const isWell = await this.#evict(changes);
    for (const { job, result } of planned) job.resolve(result as never);
    if (isWell) await this.#settleDoubts();
  }

  async #makeDurable(changes: readonly Change[]): Promise<void> {
    try {
      await this.#keeper.commit(changes);
    } catch (error) {
      for (const { item } of changes) this.#doubts.set(item.entry.id, item);
      throw error;
    }
    this.trouble = undefined;
    this.#entries.apply(changes);
    for (const { item } of changes) this.#doubts.delete(item.entry.id);
  }

  /** What the storage refused may be the fault of one: then each is tried by itself. */
  async #failed(jobs: readonly Job[], error: unknown): Promise<void> {
    this.trouble = messageOf(error);
    if (jobs.length > 1 && isRefusal(error)) {
      for (const job of jobs) await this.#commit([job]);
      return;
    }
    const message = `the storage did not take it: ${messageOf(error)}`;
    for (const job of jobs)
      job.reject(new MemoryError('MEMORY_STORAGE_FAILED', message, { cause: error }));
  }

  /** Whether it went well. */
  async #evict(changes: readonly Change[]): Promise<boolean> {
    const put = changes.flatMap(({ kind, item }) => (kind === 'put' ? [item.entry] : []));
    const namespaces = new Set(put.map(({ namespace }) => namespace));
    const surplus = this.#entries.surplus(namespaces, new Set(put.map(({ id }) => id)));
    const drops = surplus.map((item): Change => ({ kind: 'drop', item }));
    try {
      for (const part of partsOf(drops)) {
        await this.#makeDurable(part);
        this.#tally.evicted += part.length;
      }
      return true;
    } catch (error) {
      // It is over its capacity until the next write.
      this.trouble = messageOf(error);
      return false;
    }
  }

  /** The storage works again: it gets what memory has. */
  async #settleDoubts(): Promise<void> {
    if (this.#doubts.size === 0) return;
    const changes = [...this.#doubts.values()].map((item): Change => {
      const there = this.#entries.get(item.entry.namespace, item.entry.id);
      return there ? { kind: 'put', item: there } : { kind: 'drop', item };
    });
    try {
      for (const part of partsOf(changes)) await this.#makeDurable(part);
    } catch (error) {
      this.trouble = messageOf(error);
    }
  }
}

const NOTHING: { changes: Change[]; result: undefined } = { changes: [], result: undefined };

class Overlay implements View {
  readonly #entries: Entries;
  readonly #changed = new Map<string, Item | undefined>();

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  get(namespace: string, id: string): Item | undefined {
    if (!this.#changed.has(id)) return this.#entries.get(namespace, id);
    const item = this.#changed.get(id);
    return item?.entry.namespace === namespace ? item : undefined;
  }

  add(changes: readonly Change[]): void {
    for (const { kind, item } of changes) {
      this.#changed.set(item.entry.id, kind === 'put' ? item : undefined);
    }
  }
}

function* partsOf(changes: readonly Change[]): Iterable<Change[]> {
  let part: Change[] = [];
  let bytes = 0;
  for (const change of changes) {
    const more = change.kind === 'put' ? bytesOf(change.item) : 0;
    if (part.length > 0 && (part.length >= CHANGES_MAX || bytes + more > BATCH_BYTES_MAX)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(change);
    bytes += more;
  }
  if (part.length > 0) yield part;
}

/** Roughly, and not too little: metadata is weighed by its texts. */
function bytesOf({ entry, vector }: Item): number {
  const chars = entry.text.length + JSON.stringify(entry.metadata).length;
  return 3 * chars + (vector?.byteLength ?? 0) + 512;
}

/** The storage answered, and said no. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'CALL_FAILED';
}
