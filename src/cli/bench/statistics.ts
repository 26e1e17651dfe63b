/** Figures of a few rounds. */

export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** Of nothing it is `undefined`. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) return undefined;
  const upper = sorted[Math.floor(sorted.length / 2)] ?? max;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? min;
  return { median: (lower + upper) / 2, min, max };
}

/** Half the distance of the extremes, as a share of the median. */
export function relativeSpread({ median, min, max }: Spread): number {
  return median === 0 ? 0 : (max - min) / 2 / median;
}

/** No round of one is where a round of the other could be. */
export function areApart(a: Spread, b: Spread): boolean {
  return a.max < b.min || b.max < a.min;
}
