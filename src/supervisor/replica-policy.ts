/** How many replicas there should be, as a pure function of their load and the time. */
import type { ReplicaBounds } from '../protocol/manifest.ts';

/** One look at a set. */
export interface LoadLook {
  /** How many there are. */
  replicas: number;
  /** Calls each of them may be inside of. */
  concurrency: number;
  /** Calls that are not done: begun ones, and those that wait. */
  open: number;
  /** Some replica that runs could begin another call now. */
  hasRoom: boolean;
  /** Of a clock that only goes on (ms). */
  now: number;
}

/** Since when all looks said the same (ms). */
export interface LoadTrend {
  pressedSince?: number | undefined;
  slackSince?: number | undefined;
}

export interface ScaleDecision {
  to: number;
  trend: LoadTrend;
}

/**
 * Grows where calls have waited at every look for `growAfterMs` and nobody had room: by as many
 * as the waiting calls can use, at most to the double. Shrinks by one where for
 * `shrinkAfterMs` half of the others' room would have been enough at every look. Between the
 * two nothing changes, so it does not flap.
 */
export function decideScale(
  bounds: ReplicaBounds,
  look: LoadLook,
  before: LoadTrend,
): ScaleDecision {
  const { replicas, now } = look;
  const pressedSince = isPressed(look) ? (before.pressedSince ?? now) : undefined;
  const slackSince = isSlack(look) ? (before.slackSince ?? now) : undefined;
  const trend = { pressedSince, slackSince };
  if (replicas < bounds.max && isOver(pressedSince, bounds.growAfterMs, now)) {
    return { to: Math.min(bounds.max, replicas + growth(look)), trend: {} };
  }
  if (replicas > bounds.min && isOver(slackSince, bounds.shrinkAfterMs, now)) {
    return { to: replicas - 1, trend: {} };
  }
  return { to: replicas, trend };
}

function isPressed({ replicas, concurrency, open, hasRoom }: LoadLook): boolean {
  return !hasRoom && open > replicas * concurrency;
}

function isSlack({ replicas, concurrency, open }: LoadLook): boolean {
  return open <= ((replicas - 1) * concurrency) / 2;
}

function isOver(since: number | undefined, afterMs: number, now: number): boolean {
  return since !== undefined && now - since >= afterMs;
}

function growth({ replicas, concurrency, open }: LoadLook): number {
  const waiting = open - replicas * concurrency;
  return Math.min(replicas, Math.ceil(waiting / concurrency));
}
