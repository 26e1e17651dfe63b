/** What a pool looks like to who sends calls: one link and one board before many threads. */
import { numberAfter } from '../transport/link.ts';
import type { CallBoard, CallLink } from './call-target.ts';
import type { PoolThread } from './pool-thread.ts';

export interface PoolView {
  readonly threads: readonly PoolThread[];
  /** A thread that serves, has its lease and is inside no call. */
  free(): PoolThread | undefined;
}

/** Sends a call only to a thread that can begin it at once: all others wait in the mailbox. */
export function poolLink(pool: PoolView): CallLink {
  const { threads } = pool;
  const sum = (count: (thread: PoolThread) => number): number =>
    threads.reduce((before, thread) => before + count(thread), 0);
  let last = 0;
  return {
    get lateReplies() {
      return sum(({ life }) => life.link.lateReplies);
    },
    get openCalls() {
      return sum(({ life }) => life.link.openCalls);
    },
    get hasRoom() {
      return pool.free() !== undefined;
    },
    call(exchange, header, payload) {
      const thread = pool.free();
      if (!thread) throw new Error('no thread of the pool is free');
      last = numberAfter(last);
      thread.call = last;
      return thread.life.link.call(exchange, header, payload, last);
    },
    signal(kind, to, detail) {
      threadOf(threads, to.number)?.life.link.signal(kind, to, detail);
    },
    replace(to, exchange) {
      threadOf(threads, to.number)?.life.link.replace(to, exchange);
    },
    *exchanges() {
      for (const { life } of threads) yield* life.link.exchanges();
    },
    close() {
      const left = threads.flatMap(({ life }) => life.link.close());
      return left.sort((a, b) => (a.address.number - b.address.number) | 0);
    },
  };
}

export interface PoolBoard extends CallBoard {
  readonly isHeld: boolean;
}

export function poolBoard({ threads }: PoolView): PoolBoard {
  const boardOf = (number: number) => threadOf(threads, number)?.life.board;
  let pause = 0;
  let isHeld = true;
  return {
    get isHeld() {
      return isHeld;
    },
    hold({ park }) {
      isHeld = true;
      for (const thread of threads) thread.hold(park);
      pause++;
      return pause;
    },
    release() {
      isHeld = false;
      for (const { life } of threads) life.board.release();
      return pause;
    },
    mayBegin: () => !isHeld,
    cancel: (slot, number) => boardOf(number)?.cancel(slot, number) ?? false,
    recall: (slot, number) => boardOf(number)?.recall(slot, number) ?? false,
    recallSettled: (slot, number) => boardOf(number)?.recallSettled(slot, number),
    cancelSettled: (number) => boardOf(number)?.cancelSettled(number),
    hasBegun: (number) => boardOf(number)?.hasBegun(number) ?? false,
    busySince() {
      const since = threads.flatMap(({ life }) => life.board.busySince() ?? []);
      return since.length === 0 ? undefined : Math.min(...since);
    },
  };
}

export function threadOf(threads: readonly PoolThread[], call: number): PoolThread | undefined {
  return threads.find((thread) => thread.call === call);
}
