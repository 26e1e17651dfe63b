/**
 * What a plugin measures of itself, as samples: made in its thread, read by who asks for its
 * stats. Counters and histograms begin at nothing in every life of the plugin.
 */

/** Names and values; a metric with other labels is another series. */
export type MetricLabels = Readonly<Record<string, string>>;

interface Series {
  name: string;
  labels: MetricLabels;
}

export interface CounterSample extends Series {
  kind: 'counter';
  /** Since this life began. */
  value: number;
}

export interface GaugeSample extends Series {
  kind: 'gauge';
  value: number;
}

export interface HistogramSample extends Series {
  kind: 'histogram';
  /** Values recorded since this life began, and their sum. */
  count: number;
  sum: number;
  min: number;
  max: number;
  /**
   * How many values were at most this, and more than the bound before; ascending, none empty. The
   * first one, 0, has all up to 0; the last one, 2^60, all that are more as well.
   */
  buckets: [bound: number, count: number][];
}

export type MetricSample = CounterSample | GaugeSample | HistogramSample;

/** Buckets to each doubling: a quantile read off them is at most 9.1 % too high. */
const BUCKETS_PER_DOUBLING = 8;

/** Powers of two between which buckets lie (about 1e-12 and 1e18), so that there are not more than 801. */
const POWER_MIN = -40;
const POWER_MAX = 60;
const TOP_BOUND = 2 ** POWER_MAX;

/** The upper bound of the bucket that a value falls into; 0 for everything up to 0. */
export function bucketBound(value: number): number {
  if (value <= 0) return 0;
  const power = Math.min(Math.max(Math.log2(value), POWER_MIN), POWER_MAX);
  return 2 ** (Math.ceil(power * BUCKETS_PER_DOUBLING) / BUCKETS_PER_DOUBLING);
}

/**
 * The value that this share of the recorded ones does not exceed: never outside of what was
 * recorded, and at most 9.1 % too high for values from 1e-12 to 1e18. Values below 0 are not told
 * apart. NaN where none was recorded.
 *
 * @param share 0 to 1: 0.99 is the 99th percentile.
 */
export function quantileOf(sample: HistogramSample, share: number): number {
  if (sample.count === 0) return Number.NaN;
  let rest = share * sample.count;
  for (const [bound, count] of sample.buckets) {
    rest -= count;
    if (rest <= 0 && bound < TOP_BOUND) return Math.max(sample.min, Math.min(bound, sample.max));
  }
  return sample.max;
}

/** One string for a name and its labels, whatever their order. */
export function seriesKey(name: string, labels: MetricLabels): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return name;
  return JSON.stringify([name, ...entries.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** The samples of many threads of one plugin, each series added up. */
export function mergeMetrics(lists: readonly (readonly MetricSample[])[]): MetricSample[] {
  const merged = new Map<string, MetricSample>();
  for (const sample of lists.flat()) {
    const key = `${sample.kind} ${seriesKey(sample.name, sample.labels)}`;
    merged.set(key, sumOf(merged.get(key), sample));
  }
  return [...merged.values()];
}

function sumOf(before: MetricSample | undefined, sample: MetricSample): MetricSample {
  if (!before) return sample;
  if (before.kind !== 'histogram' && sample.kind !== 'histogram') {
    return { ...sample, value: before.value + sample.value };
  }
  if (before.kind !== 'histogram' || sample.kind !== 'histogram') return sample;
  const counts = new Map(before.buckets);
  for (const [bound, count] of sample.buckets) counts.set(bound, (counts.get(bound) ?? 0) + count);
  return {
    ...sample,
    count: before.count + sample.count,
    sum: before.sum + sample.sum,
    min: Math.min(before.min, sample.min),
    max: Math.max(before.max, sample.max),
    buckets: [...counts].sort(([a], [b]) => a - b),
  };
}
