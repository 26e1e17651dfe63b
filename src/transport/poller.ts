/**
 * Looks at a ring instead of sleeping, while that is the faster way to wait. To wake a thread
 * takes longer than a small call does; but who looks keeps a core busy that somebody else may
 * want, and is then itself taken off it. So both ways are measured all the time, each wait by one
 * of them: the better one is taken, and now and then the other, to see whether it still is worse.
 * A look never lasts long, and no more threads of this process look than it has cores.
 */
import type { PollingSeat } from './polling-cores.ts';

/** A ring that something may come through. */
export interface Polled {
  /** Delivers what has come, and calls {@link Poller.came} if something had. */
  poll(): void;
  /** From now on the writer wakes it. False: something came meanwhile, and it will not. */
  sleep(): boolean;
  /** From now on the writer need not. */
  wake(): void;
}

/** Longest and shortest look (ms). The shortest is what a turn of the event loop may take. */
const LOOK_MS_MAX = 0.2;
const LOOK_MS_MIN = 0.02;
/** A look may take this many times what waits took lately. */
const PATIENCE = 4;
/** A longer wait counts as this (ms): it says nothing about how it was waited. */
const WAIT_MS_MAX = 1;
/** Weight of the last wait beside those before it. */
const WEIGHT = 1 / 16;
/** Looking must be better than sleeping by this factor: it costs processor time. */
const ADVANTAGE = 0.8;
/**
 * So many waits in a row, and for so long (ms), the other way is tried. Two threads that share a
 * core take turns on it; a scheduler moves one away only after it saw both want to run for a while.
 */
const TRIAL_WAITS = 16;
const TRIAL_MS = 10;
/** Weight of a trial's last wait: its end counts, when both have got used to it. */
const TRIAL_WEIGHT = 1 / 8;
/** From one trial to the next (ms): twice as long after each that changed nothing. */
const TRIAL_PAUSE_MS_MIN = 50;
const TRIAL_PAUSE_MS_MAX = 800;

export class Poller {
  readonly #polled: Polled;
  readonly #seat: PollingSeat;
  /** The way that was better at the last trial. */
  #prefersLooking = true;
  /** What waits took lately, that way (ms). */
  #usualMs = LOOK_MS_MAX;
  /** The waits of the trial that goes on. */
  #trial: { waits: number; since: number; usualMs: number } | undefined;
  #trialPauseMs = TRIAL_PAUSE_MS_MIN;
  #nextTrialAt = performance.now() + TRIAL_PAUSE_MS_MIN;
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
    if (!this.#trial && this.#since >= this.#nextTrialAt) {
      this.#trial = { waits: 0, since: this.#since, usualMs: 0 };
    }
    if (this.#prefersLooking === (this.#trial === undefined)) this.#startLooking();
    else if (this.#isLooking && this.#polled.sleep()) this.stop();
  }

  /** Something came. */
  came(): void {
    const now = performance.now();
    if (this.#isWaiting) {
      this.#isWaiting = false;
      this.#learn(Math.min(WAIT_MS_MAX, now - this.#since), now);
    }
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

  #learn(waitedMs: number, now: number): void {
    const trial = this.#trial;
    if (!trial) {
      this.#usualMs += (waitedMs - this.#usualMs) * WEIGHT;
      return;
    }
    trial.usualMs += (waitedMs - trial.usualMs) * Math.max(TRIAL_WEIGHT, 1 / ++trial.waits);
    if (trial.waits < TRIAL_WAITS || now - trial.since < TRIAL_MS) return;
    this.#conclude(trial.usualMs);
    this.#trial = undefined;
    this.#nextTrialAt = now + this.#trialPauseMs;
  }

  #conclude(otherMs: number): void {
    const [lookingMs, asleepMs] = this.#prefersLooking
      ? [this.#usualMs, otherMs]
      : [otherMs, this.#usualMs];
    const isBetter = lookingMs < asleepMs * ADVANTAGE;
    if (isBetter === this.#prefersLooking) {
      this.#trialPauseMs = Math.min(TRIAL_PAUSE_MS_MAX, this.#trialPauseMs * 2);
      return;
    }
    this.#prefersLooking = isBetter;
    this.#usualMs = otherMs;
    this.#trialPauseMs = TRIAL_PAUSE_MS_MIN;
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
    if (this.#isImpatient() && this.#polled.sleep()) this.stop();
    else setImmediate(this.#turn);
  };

  #isImpatient(): boolean {
    const usualMs = this.#trial ? LOOK_MS_MAX : this.#usualMs;
    const patienceMs = Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, usualMs * PATIENCE));
    return performance.now() - this.#since > patienceMs;
  }
}
