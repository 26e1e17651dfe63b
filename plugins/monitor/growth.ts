/** How much a counter or a histogram grew between two looks, over restarts of its plugin. Pure. */
import type { HistogramSample } from 'troupe/plugin';

import type { Entry } from './tier.ts';

/**
 * What is known of the time since the last look. `unknown`: the first look of all, at something that
 * may have counted for long. `anew`: it began at nothing since. `same`: it went on. `sum`: it is
 * added up over several actors, of which one may have ended.
 */
export type Continuity = 'unknown' | 'anew' | 'same' | 'sum';

export function growthOf(before: number | undefined, now: number, since: Continuity): number {
  if (since === 'unknown') return 0;
  if (before === undefined || since === 'anew') return now;
  if (now >= before) return now - before;
  return since === 'sum' ? 0 : now;
}

/** Neighbouring bounds of a histogram of `ctx.metrics`. */
const BOUND_RATIO = 2 ** (1 / 8);

/** `undefined` where nothing was recorded since. */
export function histogramGrowth(
  before: HistogramSample | undefined,
  now: HistogramSample,
  since: Continuity,
): Entry | undefined {
  const base = since === 'anew' ? undefined : before;
  if (since === 'unknown') return undefined;
  if (base && now.count < base.count) {
    return since === 'sum' ? undefined : histogramGrowth(undefined, now, 'anew');
  }
  const counted = new Map(base?.buckets);
  const grown = now.buckets
    .map(([bound, count]): [number, number] => [bound, count - (counted.get(bound) ?? 0)])
    .filter(([, count]) => count > 0);
  const count = grown.reduce((sum, [, n]) => sum + n, 0);
  const [lowest, highest] = [grown[0]?.[0], grown.at(-1)?.[0]];
  if (lowest === undefined || highest === undefined) return undefined;
  const sum = now.sum - (base?.sum ?? 0);
  const buckets = new Map(grown);
  // of the values since then, only their buckets are known
  const min = base ? Math.max(now.min, lowest / BOUND_RATIO) : now.min;
  const max = base ? Math.min(now.max, highest) : now.max;
  return { count, sum, min, max, last: sum / count, buckets };
}
