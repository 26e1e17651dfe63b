/** What the monitor makes of the stats that it pulls. */
import type { HistogramSample, PluginStats } from 'troupe/plugin';
import { describe, expect, it } from 'vitest';

import { Collector } from '../../plugins/monitor/collector.ts';
import { growthOf, histogramGrowth, type Continuity } from '../../plugins/monitor/growth.ts';
import { Store } from '../../plugins/monitor/store.ts';
import { MetricSet } from '../../src/actor/metrics.ts';
import { counter, gauge, statsWith } from '../support/monitor.ts';
import { fc } from '../support/properties.ts';

const START = 1_700_000_000_000;

function collecting() {
  const store = new Store({ retention: [{ stepMs: 1, keepMs: 1_000 }], seriesMax: 1_000 });
  const collector = new Collector(store);
  let looks = 0;
  const look = (plugins: Record<string, PluginStats>): void => {
    collector.collect(new Map(Object.entries(plugins)), START + looks++);
  };
  const series = (name: string, labels = {}) => store.find(name, labels)[0];
  return { store, collector, look, series, last: (name: string) => series(name)?.last };
}

function sampleOf(values: readonly number[]): HistogramSample {
  const set = new MetricSet();
  const histogram = set.histogram('h');
  for (const value of values) histogram.record(value);
  return set.samples()[0] as HistogramSample;
}

const life = (generation: number, served: number): PluginStats =>
  statsWith({ generation, startedAt: generation, metrics: [counter('served', served)] });
const pool = (served: number): PluginStats =>
  statsWith({ threads: { running: 2, min: 1, max: 2 }, metrics: [counter('served', served)] });

describe('what a counter grew by', () => {
  it.each<[number | undefined, number, Continuity, number]>([
    [undefined, 7, 'unknown', 0],
    [5, 7, 'unknown', 0],
    [undefined, 7, 'same', 7],
    [5, 7, 'same', 2],
    [7, 5, 'same', 5],
    [5, 7, 'anew', 7],
    [7, 5, 'anew', 5],
    [undefined, 7, 'sum', 7],
    [5, 7, 'sum', 2],
    [7, 5, 'sum', 0],
  ])('from %s to %s, %s, is %s', (before, now, since, growth) => {
    expect(growthOf(before, now, since)).toBe(growth);
  });
});

describe('what a histogram grew by', () => {
  it('is what was recorded since, in count, sum, buckets and about its range', () => {
    const values = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(values, values, (before, since) => {
        const grown = histogramGrowth(sampleOf(before), sampleOf([...before, ...since]), 'same');
        expect(grown?.count).toBe(since.length);
        expect(grown?.sum).toBe(since.reduce((a, b) => a + b, 0));
        expect([...(grown?.buckets ?? [])]).toEqual(sampleOf(since).buckets);
        expect(grown?.min).toBeLessThanOrEqual(Math.min(...since) * (1 + 1e-9));
        expect(grown?.max).toBeGreaterThanOrEqual(Math.max(...since) * (1 - 1e-9));
      }),
    );
  });

  it('is all of it in a new life, and nothing where nothing was recorded', () => {
    const [few, many] = [sampleOf([5]), sampleOf([1, 2, 3])];
    expect(histogramGrowth(many, few, 'anew')).toMatchObject({ count: 1, sum: 5, min: 5, max: 5 });
    expect(histogramGrowth(many, few, 'same')).toMatchObject({ count: 1, sum: 5 });
    expect(histogramGrowth(many, few, 'sum')).toBeUndefined();
    expect(histogramGrowth(many, many, 'same')).toBeUndefined();
    expect(histogramGrowth(undefined, many, 'unknown')).toBeUndefined();
  });
});

describe('the kernel’s series', () => {
  it('are there for every plugin, labelled by it', () => {
    const { look, store } = collecting();
    look({
      a: statsWith({
        calls: { started: 9, succeeded: 5, failed: 1, inFlight: 1, queued: 2 },
        latencyMs: { mean: 1, p50: 1, p90: 2, p99: 3, max: 4 },
        cpu: { utilization: 0.5 },
        memory: { heapUsedBytes: 100, externalBytes: 10 },
        threads: { running: 3, min: 1, max: 4 },
        zombies: 1,
      }),
    });
    const told = store.all().map(({ name, labels: { plugin, ...others }, kind, last }) => {
      expect(plugin).toBe('a');
      return [name.replace('troupe_', ''), ...Object.values(others), kind, last].join(' ');
    });
    expect(told).toEqual([
      'up gauge 1',
      'state gauge 4',
      'restarts_total counter 0',
      'crashes_total counter 0',
      'calls_started_total counter 0',
      'calls_total succeeded counter 0',
      'calls_total failed counter 0',
      'calls_total timedOut counter 0',
      'calls_total aborted counter 0',
      'calls_total crashed counter 0',
      'dead_letters_total counter 0',
      'late_replies_total counter 0',
      'calls_in_flight gauge 1',
      'calls_queued gauge 2',
      'call_latency_ms 0.5 gauge 1',
      'call_latency_ms 0.9 gauge 2',
      'call_latency_ms 0.99 gauge 3',
      'call_latency_ms 1 gauge 4',
      'cpu_utilization gauge 0.5',
      'memory_heap_bytes gauge 100',
      'memory_external_bytes gauge 10',
      'zombies gauge 1',
      'threads gauge 3',
    ]);
  });

  it('count from the first look on; of a plugin that came later, from its beginning', () => {
    const { look, series } = collecting();
    const failed = (plugin: string): number | undefined =>
      series('troupe_calls_total', { plugin, outcome: 'failed' })?.last;
    look({ a: statsWith({ calls: { failed: 5 } }) });
    look({ a: statsWith({ calls: { failed: 7 } }), b: statsWith({ calls: { failed: 3 } }) });
    expect([failed('a'), failed('b')]).toEqual([2, 3]);
    // registered anew under its id
    look({ a: statsWith({ calls: { failed: 1 } }), b: statsWith({ calls: { failed: 3 } }) });
    expect([failed('a'), failed('b')]).toEqual([3, 3]);
  });

  it('count each crash, and none that was before the first look', () => {
    const { look, last } = collecting();
    look({ a: statsWith({ crashes: 1 }) });
    look({ a: statsWith({ crashes: 1 }) });
    expect(last('troupe_crashes_total')).toBe(0);
    look({ a: statsWith({ crashes: 4 }) });
    look({ a: statsWith({ crashes: 4 }) });
    expect(last('troupe_crashes_total')).toBe(3);
  });

  it('end with their plugin', () => {
    const { look, store } = collecting();
    look({ a: statsWith(), b: statsWith() });
    look({ b: statsWith() });
    const ended = new Set(
      store.all().map(({ labels, ended: isOver }) => `${String(labels['plugin'])} ${isOver}`),
    );
    expect([...ended].toSorted()).toEqual(['a true', 'b false']);
  });
});

describe('a plugin’s own series', () => {
  it('have its label, and keep one of that name as exported_plugin', () => {
    const { look, store } = collecting();
    look({ a: statsWith({ metrics: [gauge('x', 1, { plugin: 'mine', k: 'v' })] }) });
    expect(store.find('x').map(({ labels }) => labels)).toEqual([
      { exported_plugin: 'mine', k: 'v', plugin: 'a' },
    ]);
  });

  it('go on counting over a new life, which begins at nothing', () => {
    const { look, last } = collecting();
    look({ a: life(1, 100) });
    look({ a: life(1, 110) });
    expect(last('served')).toBe(10);
    look({ a: life(2, 120) });
    expect(last('served')).toBe(130);
    look({ a: life(3, 5) });
    look({ a: life(3, 6) });
    expect(last('served')).toBe(136);
  });

  it('that appear in a life count from nothing, also after the first look', () => {
    const { look, last } = collecting();
    look({ a: statsWith() });
    look({ a: statsWith({ metrics: [counter('errors', 4)] }) });
    expect(last('errors')).toBe(4);
  });

  it('stand still while the thread is too busy to say, and lose nothing by it', () => {
    const { look, series } = collecting();
    const busy = statsWith({ memory: undefined });
    look({ a: statsWith({ metrics: [counter('served', 1), gauge('depth', 3)] }) });
    look({ a: busy });
    expect(series('depth')).toMatchObject({ last: 3, ended: false });
    look({ a: statsWith({ metrics: [counter('served', 9), gauge('depth', 2)] }) });
    expect([series('served')?.last, series('depth')?.last]).toEqual([8, 2]);
  });

  it('that a new life has not (yet) are over', () => {
    const { look, series } = collecting();
    look({ a: statsWith({ metrics: [gauge('depth', 300)] }) });
    look({ a: statsWith({ generation: 2, startedAt: 2 }) });
    expect(series('depth')?.ended).toBe(true);
    expect(series('troupe_up')?.ended).toBe(false);
    look({ a: statsWith({ generation: 2, startedAt: 2, metrics: [gauge('depth', 0)] }) });
    expect(series('depth')?.ended).toBe(false);
  });

  it('of many actors do not jump when one of them ends', () => {
    const { look, last } = collecting();
    look({ a: pool(100) });
    look({ a: pool(110) });
    look({ a: pool(60) });
    look({ a: pool(65) });
    expect(last('served')).toBe(15);
  });

  it('cannot be taken for the kernel’s', () => {
    const { look, last, store } = collecting();
    const dropped = gauge('troupe_metric_series_dropped', 7);
    look({ a: statsWith({ metrics: [gauge('troupe_up', 99), dropped] }) });
    expect([last('troupe_up'), last(dropped.name), store.refused]).toEqual([1, 7, 1]);
  });

  it('go on where they were after a snapshot', () => {
    const before = collecting();
    before.look({ a: statsWith({ metrics: [counter('served', 1)] }) });
    before.look({ a: statsWith({ metrics: [counter('served', 5)] }) });
    const after = collecting();
    after.store.restore(structuredClone(before.store.snapshot()));
    after.collector.restore(structuredClone(before.collector.snapshot()));
    after.look({ a: statsWith({ metrics: [counter('served', 7)] }) });
    expect(after.last('served')).toBe(6);
  });
});
