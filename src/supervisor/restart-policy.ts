/**
 * When is a plugin that ended started again, and after how long? Pure: the clock and the random
 * source are arguments.
 *
 * Two memories: the restarts within the sliding window, which the intensity bounds, and the
 * streak of restarts without a stable period between them, which the backoff grows with.
 */
import type { RestartOptions } from '../protocol/limits.ts';

export interface RestartHistory {
  /** Times of the restarts within the window (ms), oldest first. */
  readonly restarts: readonly number[];
  /** Restarts in a row without a stable period. */
  readonly streak: number;
}

export const NO_RESTARTS: RestartHistory = { restarts: [], streak: 0 };

/** How a life ended: on purpose (`normal`, `shutdown`), or by a fault. */
export type End = 'normal' | 'shutdown' | 'abnormal';

export type RestartDecision =
  | { restart: true; delayMs: number; history: RestartHistory }
  | { restart: false; why: 'not-wanted' | 'too-often' };

export interface PolicyEnv {
  /** ms, any origin. */
  now: number;
  /** 0 to 1. */
  random: () => number;
}

export function decideRestart(
  options: RestartOptions,
  history: RestartHistory,
  end: End,
  { now, random }: PolicyEnv,
): RestartDecision {
  if (!isWanted(options.type, end)) return { restart: false, why: 'not-wanted' };
  const restarts = history.restarts.filter((at) => now - at < options.periodMs);
  if (restarts.length >= options.intensity) return { restart: false, why: 'too-often' };
  const last = history.restarts.at(-1);
  const stable = last === undefined || now - last >= options.periodMs;
  const streak = stable ? 0 : history.streak;
  const delayMs = backoffMs(options.backoff, streak, random);
  // the window counts when the restart happens, not when it was decided
  const at = now + delayMs;
  return { restart: true, delayMs, history: { restarts: [...restarts, at], streak: streak + 1 } };
}

/** The first restart is at once; then `minMs`, growing by `factor` to `maxMs`, less the jitter. */
export function backoffMs(
  backoff: RestartOptions['backoff'],
  streak: number,
  random: () => number,
): number {
  if (streak === 0) return 0;
  // 0 × Infinity, far up the curve of a delay of nothing, is no number
  const grown = backoff.minMs === 0 ? 0 : backoff.minMs * backoff.factor ** (streak - 1);
  const full = Math.min(backoff.maxMs, grown);
  return full * (1 - backoff.jitter * random());
}

/** Whether an end is one that its restart type brings back. */
export function isWanted(type: RestartOptions['type'], end: End): boolean {
  return type === 'permanent' || (type === 'transient' && end === 'abnormal');
}
