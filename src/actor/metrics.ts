/** `ctx.metrics`: counts in the thread, and says what was counted where it is asked for. */
import type { Metrics } from '../plugin.ts';
import { METRIC_LABELS_MAX, METRIC_SERIES_MAX, METRIC_TEXT_CHARS_MAX } from '../protocol/limits.ts';
import {
  bucketBound,
  seriesKey,
  type CounterSample,
  type GaugeSample,
  type HistogramSample,
  type MetricLabels,
  type MetricSample,
} from '../protocol/metrics.ts';
import { NOTHING_SECRET, type Redactor } from '../protocol/wire-error.ts';

const NAME = /^[A-Za-z_:][\w:]*$/;
const LABEL = /^[A-Za-z_]\w*$/;

/** Told by the plugin itself where it has more series than are kept. */
const DROPPED = 'troupe_metric_series_dropped';

type Kind = MetricSample['kind'];
type SampleOf<K extends Kind> = Extract<MetricSample, { kind: K }>;

export class MetricSet implements Metrics {
  readonly #series = new Map<string, MetricSample>();
  readonly #dropped = new Set<string>();
  readonly #redactor: Redactor;

  /** @param redactor for values of labels; a name or a number is no place for a secret. */
  constructor(redactor: Redactor = NOTHING_SECRET) {
    this.#redactor = redactor;
  }

  counter: Metrics['counter'] = (name, labels = {}) => {
    const sample = this.#sample('counter', name, labels, newCounter);
    return {
      add(n = 1) {
        if (!(Number.isFinite(n) && n >= 0)) throw wrongValue(name, n, 'at least 0');
        sample.value += n;
      },
    };
  };

  gauge: Metrics['gauge'] = (name, labels = {}) => {
    const sample = this.#sample('gauge', name, labels, newGauge);
    const set = (value: number): void => {
      if (!Number.isFinite(value)) throw wrongValue(name, value, 'finite');
      sample.value = value;
    };
    return {
      set,
      add(n) {
        set(sample.value + n);
      },
    };
  };

  histogram: Metrics['histogram'] = (name, labels = {}) => {
    const sample = this.#sample('histogram', name, labels, newHistogram);
    return {
      record(value) {
        if (!Number.isFinite(value)) throw wrongValue(name, value, 'finite');
        sample.count++;
        sample.sum += value;
        sample.min = Math.min(sample.min, value);
        sample.max = Math.max(sample.max, value);
        const bound = bucketBound(value);
        sample.counts.set(bound, (sample.counts.get(bound) ?? 0) + 1);
      },
    };
  };

  samples(): MetricSample[] {
    const told = [...this.#series.values()].map((sample) =>
      sample.kind === 'histogram' ? asTold(sample as LiveHistogram) : sample,
    );
    if (this.#dropped.size === 0) return told;
    return [...told, { kind: 'gauge', name: DROPPED, labels: {}, value: this.#dropped.size }];
  }

  /** The one series there is of this name and these labels; beyond the bound, one that nobody sees. */
  #sample<K extends Kind, S extends SampleOf<K>>(
    kind: K,
    name: string,
    labels: MetricLabels,
    create: (name: string, labels: MetricLabels) => S,
  ): S {
    const key = seriesKey(name, labels);
    const known = this.#series.get(key);
    if (known && known.kind !== kind) {
      throw new TypeError(`the metric ${name} is a ${known.kind}, and no ${kind}`);
    }
    if (known) return known as S;
    checkNames(name, labels);
    const sample = create(name, this.#redactor.value({ ...labels }));
    if (this.#series.size < METRIC_SERIES_MAX) this.#series.set(key, sample);
    else if (this.#dropped.size < METRIC_SERIES_MAX) this.#dropped.add(key);
    return sample;
  }
}

interface LiveHistogram extends HistogramSample {
  counts: Map<number, number>;
}

function newCounter(name: string, labels: MetricLabels): CounterSample {
  return { kind: 'counter', name, labels, value: 0 };
}

function newGauge(name: string, labels: MetricLabels): GaugeSample {
  return { kind: 'gauge', name, labels, value: 0 };
}

function newHistogram(name: string, labels: MetricLabels): LiveHistogram {
  const range = { min: Infinity, max: -Infinity };
  const counts = new Map<number, number>();
  return { kind: 'histogram', name, labels, count: 0, sum: 0, ...range, buckets: [], counts };
}

function asTold({ counts, ...sample }: LiveHistogram): HistogramSample {
  return { ...sample, buckets: [...counts].sort(([a], [b]) => a - b) };
}

function checkNames(name: string, labels: MetricLabels): void {
  if (!isText(name) || !NAME.test(name)) {
    throw new TypeError(
      `${JSON.stringify(name)} is no name of a metric: letters, digits, _ and :, ${LENGTH}`,
    );
  }
  const entries = Object.entries(labels);
  if (entries.length > METRIC_LABELS_MAX) {
    throw new TypeError(`the metric ${name} has more than ${String(METRIC_LABELS_MAX)} labels`);
  }
  for (const [label, value] of entries) {
    if (!isText(label) || !LABEL.test(label)) {
      const what = `${JSON.stringify(label)} is no name of a label: letters, digits and _`;
      throw new TypeError(`the metric ${name}: ${what}, ${LENGTH}`);
    }
    if (!isText(value)) {
      throw new TypeError(`the metric ${name}: the label ${label} must be a string, ${LENGTH}`);
    }
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= METRIC_TEXT_CHARS_MAX;
}

const LENGTH = `of ${String(METRIC_TEXT_CHARS_MAX)} characters at most`;

function wrongValue(name: string, value: number, wanted: string): TypeError {
  return new TypeError(`the metric ${name} was given ${String(value)}, which is not ${wanted}`);
}
