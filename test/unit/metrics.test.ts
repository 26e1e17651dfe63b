import { describe, expect, it } from 'vitest';

import { MetricSet } from '../../src/actor/metrics.ts';
import { METRIC_LABELS_MAX, METRIC_SERIES_MAX } from '../../src/protocol/limits.ts';
import {
  bucketBound,
  mergeMetrics,
  quantileOf,
  seriesKey,
  type HistogramSample,
  type MetricLabels,
  type MetricSample,
} from '../../src/protocol/metrics.ts';
import { createRedactor } from '../../src/protocol/redact.ts';
import { ToldMetrics } from '../../src/supervisor/told-metrics.ts';
import { fc } from '../support/properties.ts';

/** What a histogram says of these values. */
function histogramOf(values: readonly number[], labels: MetricLabels = {}): HistogramSample {
  const set = new MetricSet();
  const histogram = set.histogram('h', labels);
  for (const value of values) histogram.record(value);
  const [sample] = set.samples();
  if (sample?.kind !== 'histogram') throw new Error('no histogram was told');
  return sample;
}

/** The smallest of the values that so many of them do not exceed. */
function exactQuantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

const positive = fc.double({ min: 1e-12, max: 1e18, noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('a histogram', () => {
  it('gives quantiles that are never too low, and at most 9.1 % too high', () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1, maxLength: 50 }), share, (values, at) => {
        const exact = exactQuantile(values, at);
        const told = quantileOf(histogramOf(values), at);
        expect(told).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
        expect(told).toBeLessThanOrEqual(exact * 1.091);
      }),
    );
  });

  it('says how many values there were, their sum and range, and each in one bucket', () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 50 }), (values) => {
        const sample = histogramOf(values);
        const bounds = sample.buckets.map(([bound]) => bound);
        const counts = sample.buckets.map(([, count]) => count);
        expect(sample).toMatchObject({
          count: values.length,
          min: Math.min(...values),
          max: Math.max(...values),
        });
        expect(sample.sum).toBe(values.reduce((sum, value) => sum + value, 0));
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
        expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
        for (const at of [0, 0.5, 1]) {
          expect(quantileOf(sample, at)).toBeGreaterThanOrEqual(sample.min);
          expect(quantileOf(sample, at)).toBeLessThanOrEqual(sample.max);
        }
      }),
    );
  });

  it('has 802 buckets at most, whatever is recorded', () => {
    const values = [-1, 0, 5e-324, Number.MAX_VALUE];
    for (let at = -1_074; at < 1_024; at += 0.05) values.push(2 ** at);
    expect(new Set(values.map(bucketBound)).size).toBe(802);
    expect(values.map(bucketBound).every(Number.isFinite)).toBe(true);
    expect(quantileOf(histogramOf([Number.MAX_VALUE]), 0.5)).toBe(Number.MAX_VALUE);
  });

  it('of nothing has no quantile', () => {
    expect(histogramOf([])).toMatchObject({ count: 0, sum: 0, buckets: [] });
    expect(quantileOf(histogramOf([]), 0.5)).toBeNaN();
  });
});

describe('a metric', () => {
  it('is told with its kind, name, labels and value', () => {
    const set = new MetricSet();
    set.counter('served').add();
    set.counter('served').add(2.5);
    set.gauge('open', { door: 'front' }).set(7);
    set.gauge('open', { door: 'front' }).add(-9);
    expect(set.samples()).toEqual([
      { kind: 'counter', name: 'served', labels: {}, value: 3.5 },
      { kind: 'gauge', name: 'open', labels: { door: 'front' }, value: -2 },
    ]);
  });

  it('is the same for the same labels in any order, and another for others', () => {
    const set = new MetricSet();
    set.counter('served', { a: '1', b: '2' }).add();
    set.counter('served', { b: '2', a: '1' }).add();
    set.counter('served', { a: '1' }).add();
    expect(set.samples().map((sample) => sample.kind === 'counter' && sample.value)).toEqual([
      2, 1,
    ]);
    expect(seriesKey('x', { a: '1', b: '2' })).toBe(seriesKey('x', { b: '2', a: '1' }));
    expect(seriesKey('x', { a: '1,b' })).not.toBe(seriesKey('x', { a: '1', b: '' }));
  });

  it('keeps its labels when those it was given change', () => {
    const set = new MetricSet();
    const labels = { a: '1' };
    set.counter('served', labels).add();
    labels.a = '2';
    expect(set.samples()).toMatchObject([{ labels: { a: '1' } }]);
  });

  it.each(['', 'two words', '1st', 'a-b', 'ä', 'x'.repeat(257), 7, undefined, null, ['a']])(
    'cannot be called %j',
    (name) => {
      expect(() => new MetricSet().counter(name as string)).toThrow(/is no name of a metric/);
    },
  );

  it.each([
    ['a name with a colon', { 'a:b': '' }, /"a:b" is no name of a label/],
    ['a long name', { ['a'.repeat(257)]: '' }, /is no name of a label/],
    ['a value that is no string', { a: 1 }, /the label a must be a string/],
    ['a long value', { a: 'x'.repeat(257) }, /the label a must be a string, of 256 characters/],
    ['too many', manyLabels(METRIC_LABELS_MAX + 1), /more than 16 labels/],
  ])('is refused for labels with %s', (_, labels, message) => {
    const set = new MetricSet();
    expect(() => set.counter('x', labels as MetricLabels)).toThrow(message);
    expect(set.samples()).toEqual([]);
  });

  it('is one kind, and stays it', () => {
    const set = new MetricSet();
    set.counter('x');
    expect(() => set.gauge('x')).toThrow('the metric x is a counter, and no gauge');
    expect(() => set.histogram('x')).toThrow('the metric x is a counter, and no histogram');
  });

  it.each([Number.NaN, Infinity, '1', null, 1n])('never counts %s', (value) => {
    const set = new MetricSet();
    const wrong = value as number;
    expect(() => set.counter('c').add(wrong)).toThrow(TypeError);
    expect(() => set.gauge('g').set(wrong)).toThrow(TypeError);
    expect(() => set.histogram('h').record(wrong)).toThrow(TypeError);
    expect(set.samples()).toMatchObject([{ value: 0 }, { value: 0 }, { count: 0 }]);
  });

  it('counts no steps back', () => {
    expect(() => new MetricSet().counter('c').add(-1)).toThrow(
      'the metric c was given -1, which is not at least 0',
    );
  });

  it('tells no secret in a label', () => {
    const set = new MetricSet(createRedactor(['hunter22']));
    set.counter('asked', { url: 'http://a?key=hunter22' }).add();
    set.counter('asked', { url: 'http://a?key=hunter22' }).add();
    expect(set.samples()).toEqual([
      { kind: 'counter', name: 'asked', labels: { url: 'http://a?key=[secret]' }, value: 2 },
    ]);
  });
});

describe('a set of metrics', () => {
  it(`keeps ${METRIC_SERIES_MAX} series, and says how many it does not`, () => {
    const set = new MetricSet();
    for (let i = 0; i < METRIC_SERIES_MAX + 5; i++) {
      set.counter('c', { i: String(i) }).add();
      set.counter('c', { i: String(i) }).add();
    }
    const samples = set.samples();
    expect(samples).toHaveLength(METRIC_SERIES_MAX + 1);
    expect(samples.slice(0, -1).every((sample) => 'value' in sample && sample.value === 2)).toBe(
      true,
    );
    const dropped = { name: 'troupe_metric_series_dropped', labels: {}, value: 5 };
    expect(samples.at(-1)).toEqual({ kind: 'gauge', ...dropped });
  });
});

describe('metrics of many threads', () => {
  it('are added up, series by series', () => {
    const set = new MetricSet();
    set.counter('c', { a: '1', b: '2' }).add(3);
    set.gauge('g').set(5);
    const other = new MetricSet();
    other.counter('c', { b: '2', a: '1' }).add(4);
    other.gauge('g').set(-1);
    expect(mergeMetrics([set.samples(), [], other.samples()])).toEqual([
      { kind: 'counter', name: 'c', labels: { a: '1', b: '2' }, value: 7 },
      { kind: 'gauge', name: 'g', labels: {}, value: 4 },
    ]);
  });

  it('say of histograms what one of all their values would say', () => {
    const values = fc.array(fc.integer({ min: -5, max: 1_000_000 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 5 }), (lists) => {
        const merged = mergeMetrics(lists.map((list) => [histogramOf(list)]));
        expect(merged).toEqual([histogramOf(lists.flat())]);
      }),
    );
  });

  it('of one name and two kinds stay two', () => {
    const counter: MetricSample = { kind: 'counter', name: 'x', labels: {}, value: 1 };
    const gauge: MetricSample = { kind: 'gauge', name: 'x', labels: {}, value: 2 };
    expect(mergeMetrics([[counter], [gauge]])).toEqual([counter, gauge]);
  });

  it('count one that is too busy to say with what it said before, in the same life', () => {
    const told = new ToldMetrics();
    const actor = {};
    const said: MetricSample[] = [{ kind: 'counter', name: 'x', labels: {}, value: 1 }];
    expect(told.of(actor, 1, [])).toEqual([]);
    expect(told.of(actor, 1, said)).toBe(said);
    expect(told.of(actor, 1, [])).toBe(said);
    expect(told.of({}, 1, [])).toEqual([]);
    expect(told.of(actor, 2, [])).toEqual([]);
    expect(told.of(actor, 1, [])).toEqual([]);
  });
});

function manyLabels(count: number): MetricLabels {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${String(i)}`, '']));
}
