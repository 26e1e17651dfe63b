/**
 * Which threads of a pool are there for calls. As many leases as there are calls are asked for, up
 * to one for each thread; one that has had nothing to do for a moment is given back.
 */
import { LEASE_LINGER_MS } from '../protocol/limits.ts';
import type { Crew } from './pool-crew.ts';
import type { PoolThread } from './pool-thread.ts';

export interface LeasesOptions {
  readonly max: number;
  readonly crew: () => Crew;
  readonly threads: readonly PoolThread[];
  /** A thread may be free for calls now. */
  room(): void;
}

interface Lease {
  number: number;
  forget: AbortController;
}

export class Leases {
  readonly #options: LeasesOptions;
  /** Those that are granted, by thread. */
  readonly #granted = new Map<number, Lease>();
  /** Asked for or granted. */
  #count = 0;
  #lastNumber = 0;
  #waiting = 0;
  #isTelling = false;
  #isClosed = false;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  /** It serves, has its lease and is inside no call. */
  readonly isFree = ({ id, isReady, isOver, life }: PoolThread): boolean =>
    isReady && !isOver && life.link.openCalls === 0 && this.#granted.has(id);

  /** So many calls wait for a thread. */
  demand(waiting: number): void {
    this.#waiting = waiting;
    this.#balance();
    if (waiting === 0 && this.#options.threads.some(this.isFree)) this.#sweepSoon();
  }

  /** The thread came to where it can serve. */
  ready({ id }: PoolThread): void {
    if (this.#granted.has(id)) this.#tellRoom();
  }

  /** Which of these takes a lease: one that serves already rather than one that has to come up first. */
  choose(threadIds: readonly number[]): number | undefined {
    const stateOf = (threadId: number): PoolThread | undefined =>
      this.#options.threads.find(({ id }) => id === threadId);
    const able = threadIds.filter((id) => !this.#granted.has(id) && stateOf(id)?.isOver !== true);
    return able.find((id) => stateOf(id)?.isReady) ?? able[0];
  }

  /** Makes Piscina forget a thread that does not end; false where it has no lease of it. */
  forget({ id }: PoolThread): boolean {
    const lease = this.#granted.get(id);
    lease?.forget.abort();
    return lease !== undefined;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#sweep);
  }

  #balance(): void {
    if (this.#isClosed) return;
    const { threads, max } = this.#options;
    const open = threads.reduce((sum, { life }) => sum + life.link.openCalls, 0);
    while (this.#count < Math.min(max, open + this.#waiting)) this.#ask();
  }

  #ask(): void {
    this.#lastNumber++;
    const lease: Lease = { number: this.#lastNumber, forget: new AbortController() };
    let threadId = 0;
    this.#count++;
    const over = this.#options.crew().lease({
      number: lease.number,
      signal: lease.forget.signal,
      granted: (id) => {
        threadId = id;
        this.#granted.set(id, lease);
        this.#tellRoom();
      },
    });
    void over.then((inOrder) => {
      this.#count--;
      if (this.#granted.get(threadId) === lease) this.#granted.delete(threadId);
      if (inOrder) this.#balance();
      // a thread died of it: what follows from that comes first
      else {
        setImmediate(() => {
          this.#balance();
        });
      }
    });
  }

  /** In a turn of its own: who has just told the demand is not called back inside that. */
  #tellRoom(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      if (!this.#isClosed) this.#options.room();
    });
  }

  #sweepSoon(): void {
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined;
      if (this.#waiting > 0) return;
      for (const thread of this.#options.threads.filter(this.isFree)) {
        const lease = this.#granted.get(thread.id);
        if (!lease) continue;
        this.#granted.delete(thread.id);
        thread.endLease(lease.number);
      }
    }, LEASE_LINGER_MS).unref();
  }
}
