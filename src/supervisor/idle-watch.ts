/**
 * Finds a thread that is silent though it is inside no call. While its event loop sleeps now and
 * then, which is read without asking it, it is alive; only one that never does is asked.
 */
import { UNRESPONSIVE_LOOKS } from '../protocol/limits.ts';

/** What a look shows. */
export interface IdleLook {
  /** Inside a call, in a hook or parked: whoever waits for that has a deadline of its own. */
  excused: boolean;
  /** Its event loop slept since the last look. */
  slept: boolean;
  /** It answered the question, or none is open. */
  answered: boolean;
}

/** Looks in a row at which it was silent. */
export function silentLooks(before: number, { excused, slept, answered }: IdleLook): number {
  if (excused || slept) return 0;
  return answered ? Math.min(before + 1, 1) : before + 1;
}

export interface IdleWatchOptions {
  unresponsiveMs: number;
  isExcused(): boolean;
  /** How long its event loop has slept since its start (ms). */
  idleMs(): number;
  /** Settles when the thread answers; for ever pending where it does not. */
  ping(): Promise<void>;
  /** Told once for each silence. */
  unresponsive(): void;
}

/** @returns what ends it. */
export function watchIdle(options: IdleWatchOptions): () => void {
  let looks = 0;
  let idleMs = options.idleMs();
  let isAsked = false;
  let isTold = false;
  const ask = (): void => {
    isAsked = true;
    const answered = (): void => {
      isAsked = false;
    };
    options.ping().then(answered, answered);
  };
  // looks are counted, not time: a main thread that was busy itself has not heard the answer yet
  const timer = setInterval(() => {
    const before = idleMs;
    idleMs = options.idleMs();
    const slept = idleMs - before > SLEEP_MS_MIN;
    looks = silentLooks(looks, { excused: options.isExcused(), slept, answered: !isAsked });
    if (looks <= 1) isTold = false;
    if (looks > 0 && !isAsked) ask();
    if (looks <= UNRESPONSIVE_LOOKS || isTold) return;
    isTold = true;
    options.unresponsive();
  }, options.unresponsiveMs / UNRESPONSIVE_LOOKS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/** Reading the clock of a loop that does not sleep can differ by this much (ms). */
const SLEEP_MS_MIN = 1;
