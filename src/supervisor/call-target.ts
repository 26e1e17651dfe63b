/** Where a plugin's calls go while it lives: one actor behind a link, or many behind what acts as one. */
import type { SignalBoard } from '../protocol/signal-board.ts';
import type { Link } from '../transport/link.ts';

/** What a dispatcher needs of a link. */
export type CallLink = Pick<
  Link,
  'lateReplies' | 'openCalls' | 'hasRoom' | 'call' | 'signal' | 'replace' | 'exchanges' | 'close'
>;

/** Main's side of a signal board. */
export interface CallBoard extends Pick<
  SignalBoard,
  'hold' | 'release' | 'mayBegin' | 'cancel' | 'recall' | 'hasBegun' | 'busySince'
> {
  cancelSettled(number: number): void;
  recallSettled(slot: number, number: number): void;
}

/** What the kernel needs of a link over which an actor calls it. */
export type ActorLink = Pick<Link, 'reply' | 'exchangeOf'>;

/** What carries calls, and knows which of them had begun. */
export interface CallCarrier {
  readonly link: CallLink;
  readonly board: CallBoard;
}

export interface CallTarget extends CallCarrier {
  readonly generation: number;
  /** Told how many calls wait for room: an elastic target makes some, or lets go of some. */
  demand?(waiting: number): void;
}
