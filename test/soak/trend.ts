/**
 * Does a quantity grow? Judged is the second half of a run, as the first warms up: the slope is
 * the median of the slopes between all its points, so a few odd ones do not count (Theil and Sen).
 */
import type { Quantity } from './quantities.ts';

export interface Point {
  restarts: number;
  value: number;
}

export interface Trend {
  first: number;
  middle: number;
  last: number;
  max: number;
  /** Over the second half. */
  slopePer1000: number;
  /** Over the second half: what the slope amounts to, and what of that is noise. */
  growth: number;
  room: number;
  isFlat: boolean;
}

export function trendOf(points: readonly Point[], { room }: Pick<Quantity, 'room'>): Trend {
  const half = points.slice(Math.floor(points.length / 2));
  const [from, to] = [half[0], half.at(-1)];
  const [first, last] = [points[0], points.at(-1)];
  if (!from || !to || !first || !last) throw new Error('no points');
  const slope = slopeOf(half);
  const growth = slope * (to.restarts - from.restarts);
  const noise = Math.max(room.absolute, (room.share ?? 0) * median(half.map(({ value }) => value)));
  return {
    first: first.value,
    middle: from.value,
    last: last.value,
    max: Math.max(...points.map(({ value }) => value)),
    slopePer1000: slope * 1_000,
    growth,
    room: noise,
    isFlat: growth <= noise,
  };
}

/** 0 where there are no two points. */
function slopeOf(points: readonly Point[]): number {
  const slopes = points.flatMap((a, i) =>
    points
      .slice(i + 1)
      .filter((b) => b.restarts > a.restarts)
      .map((b) => (b.value - a.value) / (b.restarts - a.restarts)),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
}
