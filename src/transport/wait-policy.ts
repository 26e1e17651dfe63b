/**
 * How to wait for what comes: by looking for it, or asleep until the other side wakes this one.
 * Both ways are measured all the time, each wait by one of them. The better one is taken, and now
 * and then the other for a while, to see whether it still is the worse. Pure: it is told the time (ms).
 */

/** Longest and shortest look (ms). The shortest is what a turn of the event loop may take. */
export const LOOK_MS_MAX = 0.2;
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
/** Weight of a trial's last wait: its end counts, when both sides have got used to it. */
const TRIAL_WEIGHT = 1 / 8;
/** From one trial to the next (ms): twice as long after each that changed nothing… */
const TRIAL_PAUSE_MS_MIN = 50;
const TRIAL_PAUSE_MS_MAX = 800;
/** …and so many waits, so that where they are long and few, few are spent on trials. */
const TRIAL_PAUSE_WAITS = 16 * TRIAL_WAITS;
/** So many looks in a row that found nothing are enough: what comes takes longer. */
const MISSES_MAX = 4;

interface Trial {
  readonly since: number;
  waits: number;
  usualMs: number;
}

export class WaitPolicy {
  /** The way that was better at the last trial. */
  #prefersLooking = false;
  /** What waits took lately, that way (ms). */
  #usualMs = WAIT_MS_MAX;
  #trial: Trial | undefined;
  #trialPauseMs = TRIAL_PAUSE_MS_MIN;
  #nextTrialAt = 0;
  /** Since the last trial; the first comes soon. */
  #waits = TRIAL_PAUSE_WAITS - TRIAL_WAITS;
  #misses = 0;

  /** A wait begins: is it to be spent looking? */
  begin(now: number): boolean {
    this.#waits++;
    if (!this.#trial && now >= this.#nextTrialAt && this.#waits > TRIAL_PAUSE_WAITS) {
      this.#trial = { since: now, waits: 0, usualMs: 0 };
    }
    return this.#prefersLooking === (this.#trial === undefined);
  }

  /** The wait that began last took so long. `found`: by looking. */
  end(waitedMs: number, now: number, found: boolean): void {
    if (found) this.#misses = 0;
    const countedMs = Math.min(WAIT_MS_MAX, waitedMs);
    const trial = this.#trial;
    if (!trial) {
      this.#usualMs += (countedMs - this.#usualMs) * WEIGHT;
      return;
    }
    const isOver = trial.waits >= TRIAL_WAITS && now - trial.since >= TRIAL_MS;
    // a wait over the end of the trial is most likely a long one: it would stand for all
    if (isOver) this.#conclude(trial, now);
    else {
      trial.waits++;
      trial.usualMs += (countedMs - trial.usualMs) * Math.max(TRIAL_WEIGHT, 1 / trial.waits);
    }
  }

  /** A look ended before what it waited for came. */
  missed(now: number): void {
    // a short look was meant to be: it cost little
    if (this.patienceMs < LOOK_MS_MAX) return;
    this.#misses++;
    if (this.#misses < MISSES_MAX) return;
    this.#misses = 0;
    if (this.#trial) this.#conclude({ ...this.#trial, usualMs: WAIT_MS_MAX }, now);
    else this.#sleepForNow(now);
  }

  /** How long to look before it is better to sleep (ms). */
  get patienceMs(): number {
    if (this.#trial) return LOOK_MS_MAX;
    return Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, this.#usualMs * PATIENCE));
  }

  /** What was good until now may be so again soon. */
  #sleepForNow(now: number): void {
    this.#prefersLooking = false;
    this.#trialPauseMs = TRIAL_PAUSE_MS_MIN;
    this.#nextTrialAt = now + TRIAL_PAUSE_MS_MIN;
  }

  #conclude({ usualMs }: Trial, now: number): void {
    this.#trial = undefined;
    this.#waits = 0;
    this.#learn(usualMs);
    this.#nextTrialAt = now + this.#trialPauseMs;
  }

  /** @param usualMs what waits took the way that is not preferred. */
  #learn(usualMs: number): void {
    const [lookingMs, asleepMs] = this.#prefersLooking
      ? [this.#usualMs, usualMs]
      : [usualMs, this.#usualMs];
    const isBetter = lookingMs < asleepMs * ADVANTAGE;
    if (isBetter === this.#prefersLooking) {
      this.#trialPauseMs = Math.min(TRIAL_PAUSE_MS_MAX, this.#trialPauseMs * 2);
      return;
    }
    this.#prefersLooking = isBetter;
    this.#usualMs = usualMs;
    this.#trialPauseMs = TRIAL_PAUSE_MS_MIN;
  }
}
