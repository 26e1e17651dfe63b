/** Median and spread of a few rounds. */
export interface Spread {
  median: number;
  lowerQuartile: number;
  upperQuartile: number;
  min: number;
  max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
  };
}

/** Between two values it is as far along as its rank. NaN of nothing. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const rank = share * (sorted.length - 1);
  const below = Math.floor(rank);
  const [low, high] = [sorted[below], sorted[Math.ceil(rank)]];
  if (low === undefined || high === undefined) return Number.NaN;
  return low + (high - low) * (rank - below);
}

/**
 * Round by round, so that what slowed both in a round slows neither in the ratio. Values of
 * different rounds are never set against each other.
 */
export function ratiosOf(values: readonly number[], others: readonly number[]): number[] {
  return values
    .slice(0, others.length)
    .map((value, round) => value / (others[round] ?? Number.NaN));
}
