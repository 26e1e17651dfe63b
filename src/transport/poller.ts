/**
 * Looks at a ring instead of sleeping, while that is the faster way to wait. To wake a thread
 * takes longer than a small call does; but who looks keeps a core busy that somebody else may
 * want, and is then itself taken off it. So {@link WaitPolicy} measures which is better, a look
 * never lasts long, and no more threads of this process look than it has cores.
 */
import type { PollingSeat } from './polling-cores.ts';
import { WaitPolicy } from './wait-policy.ts';

/** A ring that something may come through. */
export interface Polled {
  /** Delivers what has come, and calls {@link Poller.came} if something had. */
  poll(): void;
  /** From now on the writer wakes it. False: something came meanwhile, and it will not. */
  sleep(): boolean;
  /** From now on the writer need not. */
  wake(): void;
}

export class Poller {
  readonly #polled: Polled;
  readonly #seat: PollingSeat;
  readonly #policy = new WaitPolicy();
  #isWaiting = false;
  #isLooking = false;
  /** Since something was last sent, or came. */
  #since = 0;

  constructor(polled: Polled, seat: PollingSeat) {
    this.#polled = polled;
    this.#seat = seat;
  }

  /** Something was sent: an answer is waited for from now on. */
  expect(): void {
    this.#since = performance.now();
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    if (this.#policy.begin(this.#since)) this.#startLooking();
    else if (this.#isLooking && this.#polled.sleep()) this.stop();
  }

  /** Something came. */
  came(): void {
    const now = performance.now();
    if (this.#isWaiting) this.#policy.end(now - this.#since, now, this.#isLooking);
    this.#isWaiting = false;
    this.#since = now;
  }

  /** What had come is delivered: sleeps, unless it looks anyway. */
  settle(): void {
    if (!this.#isLooking && !this.#polled.sleep()) this.#look();
  }

  stop(): void {
    this.#isLooking = false;
    this.#seat.give();
  }

  #startLooking(): void {
    if (this.#isLooking || !this.#seat.take()) return;
    this.#polled.wake();
    this.#look();
  }

  #look(): void {
    this.#isLooking = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    if (!this.#isLooking) return;
    this.#polled.poll();
    if (!this.#isLooking) return;
    const now = performance.now();
    const isOver = now - this.#since > this.#policy.patienceMs;
    if (!isOver || !this.#polled.sleep()) {
      setImmediate(this.#turn);
      return;
    }
    this.stop();
    if (this.#isWaiting) this.#policy.missed(now);
  };
}
