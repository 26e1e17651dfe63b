/** What the monitor keeps, and what a query makes of it. */
import { describe, expect, it } from 'vitest';

import { entryOf } from '../../plugins/monitor/collector.ts';
import { Fields } from '../../plugins/monitor/fields.ts';
import { Monitor } from '../../plugins/monitor/monitor.ts';
import { query, readQuery } from '../../plugins/monitor/query.ts';
import { readConfig } from '../../plugins/monitor/read-config.ts';
import { Store } from '../../plugins/monitor/store.ts';
import { PAGE_CELLS, Tier } from '../../plugins/monitor/tier.ts';
import type { QueryResult, SeriesKind, SeriesQuery } from '../../plugins/monitor/types.ts';
import { fc } from '../support/properties.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A time at which steps of every length begin. */
const START = 20_000 * 24 * HOUR;
const RETENTION = [
  { stepMs: 1_000, keepMs: 5 * MINUTE },
  { stepMs: 10_000, keepMs: HOUR },
  { stepMs: MINUTE, keepMs: 24 * HOUR },
];

/** A monitor whose clock is set by the test. */
function monitorAt(options: object = {}) {
  const clock = { now: START };
  const config = readConfig({ retention: RETENTION, ...options });
  const monitor = new Monitor({ config, now: () => clock.now, tell: () => undefined });
  const record = (name: string, value: number, kind: SeriesKind = 'gauge', labels = {}): void => {
    monitor.execute({ op: 'record', name, value, kind, labels });
  };
  const ask = (asked: SeriesQuery): QueryResult =>
    monitor.execute({ op: 'query', ...asked }) as QueryResult;
  const values = (asked: SeriesQuery): number[] =>
    ask(asked).series[0]?.points.map(({ value }) => value) ?? [];
  return { clock, monitor, record, ask, values };
}

describe('a tier', () => {
  it('says of any samples what they come to in each step', () => {
    const sample = fc.record({
      at: fc.integer({ min: 0, max: 59_999 }),
      value: fc.integer({ min: -1_000, max: 1_000 }),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 60 }), (samples) => {
        const tier = new Tier({ stepMs: 1_000, keepMs: MINUTE });
        const ordered = samples.toSorted((a, b) => a.at - b.at);
        for (const { at, value } of ordered) tier.add(START + at, entryOf(value));
        const told = tier
          .cells(START, START + MINUTE)
          .map(({ at, count, sum, min, max, last }) => ({ at, count, sum, min, max, last }));
        const steps = new Map<number, number[]>();
        for (const { at, value } of ordered) {
          const step = Math.floor(at / 1_000);
          steps.set(step, [...(steps.get(step) ?? []), value]);
        }
        expect(told).toEqual(
          [...steps].map(([step, all]) => ({
            at: START + step * 1_000,
            count: all.length,
            sum: all.reduce((a, b) => a + b, 0),
            min: Math.min(...all),
            max: Math.max(...all),
            last: all.at(-1),
          })),
        );
      }),
    );
  });

  it('is a ring: however long it goes on, it holds no more than its time and a page', () => {
    const tier = new Tier({ stepMs: 1_000, keepMs: 5 * MINUTE });
    for (let second = 0; second < 5_000; second++)
      tier.add(START + second * 1_000, entryOf(second));
    const cells = tier.cells(0, Infinity);
    expect(cells.length).toBeGreaterThanOrEqual(300);
    expect(cells.length).toBeLessThanOrEqual(300 + PAGE_CELLS);
    expect(cells.at(-1)).toMatchObject({ last: 4_999 });
    expect(tier.snapshot()).toHaveLength(6);
  });

  it('does not take a sample from before what it holds for a new one', () => {
    const tier = new Tier({ stepMs: 1_000, keepMs: MINUTE });
    tier.add(START + HOUR, entryOf(1));
    tier.add(START, entryOf(2));
    expect(tier.cells(0, Infinity)).toMatchObject([{ at: START + HOUR, last: 1 }]);
  });

  it('lets go what is older than it is to be', () => {
    const tier = new Tier({ stepMs: 1_000, keepMs: MINUTE });
    tier.add(START, entryOf(1));
    expect(tier.forget(START + MINUTE)).toBe(true);
    expect(tier.forget(START + 3 * MINUTE)).toBe(false);
    expect(tier.cells(0, Infinity)).toEqual([]);
  });
});

describe('a query', () => {
  it('gives a point for each step that has samples', () => {
    const { clock, record, ask } = monitorAt();
    for (const [second, value] of [3, 5, 4].entries()) {
      clock.now = START + second * 2_000;
      record('temperature', value, 'gauge', { room: 'a' });
    }
    expect(ask({ name: 'temperature', range: { lastMs: 10_000 } })).toEqual({
      stepMs: 1_000,
      series: [
        {
          name: 'temperature',
          labels: { room: 'a' },
          kind: 'gauge',
          points: [
            { at: START, value: 3 },
            { at: START + 2_000, value: 5 },
            { at: START + 4_000, value: 4 },
          ],
        },
      ],
    });
    expect(ask({ name: 'temperature' }).series[0]?.points).toHaveLength(3);
    expect(ask({ name: 'humidity' })).toEqual({ stepMs: 1_000, series: [] });
  });

  it.each([
    ['last', 7],
    ['avg', 4],
    ['min', 1],
    ['max', 7],
    ['sum', 12],
    ['count', 3],
    ['p50', 4],
    ['p100', 7],
    ['rate', 3],
  ] as const)('of a gauge knows %s', (aggregate, value) => {
    const { clock, record, values } = monitorAt();
    for (const [second, sample] of [1, 4, 7].entries()) {
      clock.now = START + second * 1_000;
      record('x', sample);
    }
    clock.now = START + 10_000;
    const range = { fromMs: START, toMs: START + 10_000, stepMs: 10_000 };
    expect(values({ name: 'x', range, aggregate })).toEqual([value]);
  });

  it.each([
    ['last', [6, 16]],
    ['sum', [6, 10]],
    ['rate', [0.6, 1]],
  ] as const)('of a counter knows %s', (aggregate, expected) => {
    const { clock, record, values } = monitorAt();
    for (const [at, by] of [1, 2, 3, 10].entries()) {
      clock.now = START + at * 4_000;
      record('served', by, 'counter');
    }
    clock.now = START + 20_000;
    const range = { fromMs: START, stepMs: 10_000 };
    expect(values({ name: 'served', range, aggregate })).toEqual(expected);
  });

  it('of a histogram knows quantiles of all that was recorded in a step', () => {
    const { clock, record, values } = monitorAt();
    for (let n = 1; n <= 100; n++) {
      clock.now = START + n * 50;
      record('latency', n, 'histogram');
    }
    clock.now = START + 10_000;
    const range = { fromMs: START, stepMs: 10_000 };
    const [p90 = 0] = values({ name: 'latency', range, aggregate: 'p90' });
    expect(p90).toBeGreaterThanOrEqual(90);
    expect(p90).toBeLessThanOrEqual(90 * 1.091);
    expect(values({ name: 'latency', range, aggregate: 'p100' })).toEqual([100]);
    expect(values({ name: 'latency', range, aggregate: 'count' })).toEqual([100]);
    expect(values({ name: 'latency', range })).toEqual([50.5]);
    expect(values({ name: 'latency', range, aggregate: 'rate' })).toEqual([10]);
  });

  it.each([
    ['counter', 'p99', /last, sum, rate/],
    ['histogram', 'last', /p0 to p100/],
  ] as const)('of a %s refuses %s, and says what there is', (kind, aggregate, message) => {
    const { record, ask } = monitorAt();
    record('x', 1, kind);
    expect(() => ask({ name: 'x', aggregate })).toThrow(message);
    expect(() => ask({ name: 'x', aggregate })).toThrow(
      expect.objectContaining({ code: 'MONITOR_KIND' }),
    );
  });

  it('goes back a day, in coarser steps, and loses neither extremes nor sums', () => {
    const { clock, record, ask } = monitorAt();
    for (let minute = 0; minute < 24 * 60; minute++) {
      clock.now = START + minute * MINUTE;
      record('x', minute);
      clock.now += 30_000;
      record('x', minute === 100 ? 9_999 : minute);
    }
    const day = { name: 'x', range: { lastMs: 24 * HOUR } };
    const max = ask({ ...day, aggregate: 'max' });
    expect(max.stepMs).toBe(MINUTE);
    expect(max.series[0]?.points).toHaveLength(24 * 60);
    expect(max.series[0]?.points[100]).toEqual({ at: START + 100 * MINUTE, value: 9_999 });
    expect(ask({ name: 'x', range: { lastMs: HOUR } }).stepMs).toBe(10_000);
    expect(ask({ name: 'x', range: { lastMs: MINUTE } }).stepMs).toBe(1_000);
    expect(ask({ name: 'x', range: { lastMs: HOUR, stepMs: 12_000 } }).stepMs).toBe(20_000);
    expect(ask({ name: 'x', range: { lastMs: 48 * HOUR, stepMs: 1 } }).stepMs).toBe(MINUTE);
  });

  it('picks series by the labels that they must have', () => {
    const { clock, record, ask } = monitorAt();
    record('x', 1, 'gauge', { a: '1', b: '1' });
    record('x', 2, 'gauge', { a: '1', b: '2' });
    record('x', 3, 'gauge', { a: '2' });
    clock.now++;
    const labelsOf = (labels: Record<string, string>): unknown =>
      ask({ name: 'x', labels }).series.map((series) => series.labels);
    expect(labelsOf({ a: '1' })).toEqual([
      { a: '1', b: '1' },
      { a: '1', b: '2' },
    ]);
    expect(labelsOf({ a: '2' })).toEqual([{ a: '2' }]);
    expect(labelsOf({ c: '1' })).toEqual([]);
  });

  it('is refused where the answer would be too large', () => {
    const store = new Store({ retention: RETENTION, seriesMax: 1_000 });
    for (let i = 0; i < 500; i++) {
      store.add({ name: 'x', labels: { i: String(i) }, kind: 'gauge' }, START, entryOf(1));
    }
    const asked = readQuery(new Fields({ name: 'x' }, 'the query'));
    expect(() => query(store, RETENTION, asked, START)).toThrow(
      /150500 points of 100000 at most; ask for a larger stepMs/,
    );
  });
});

describe('the series of a monitor', () => {
  it('are bounded: one too many is refused by name, and room is made by what is silent', () => {
    const { clock, record, monitor } = monitorAt({ seriesMax: 3 });
    for (const name of ['a', 'b', 'c']) record(name, 1);
    expect(() => record('d', 1)).toThrow(/no room for the series d: 3 are kept \(seriesMax\)/);
    clock.now += 5 * MINUTE;
    record('b', 1);
    clock.now += 1;
    record('d', 1);
    expect(monitor.store.all().map(({ name }) => name)).toEqual(['b', 'c', 'd']);
  });

  it('count a histogram as eight', () => {
    const { record } = monitorAt({ seriesMax: 9 });
    record('h', 1, 'histogram');
    record('a', 1);
    expect(() => record('b', 1)).toThrow(/no room/);
  });

  it('are of one kind', () => {
    const { record } = monitorAt();
    record('x', 1);
    expect(() => record('x', 1, 'counter')).toThrow('x is a gauge already, and no counter');
  });

  it('go when nothing is left of them', () => {
    const { clock, record, monitor } = monitorAt({
      retention: [{ stepMs: 1_000, keepMs: MINUTE }],
    });
    record('x', 1);
    clock.now += 3 * MINUTE;
    record('y', 1);
    monitor.look();
    expect(monitor.execute({ op: 'series' })).toEqual([
      { name: 'y', labels: {}, kind: 'gauge', firstAt: clock.now, lastAt: clock.now, last: 1 },
    ]);
  });

  it('survive in a snapshot, in those resolutions that the next one has', () => {
    const { clock, record, monitor } = monitorAt();
    record('c', 5, 'counter');
    record('h', 5, 'histogram');
    const config = readConfig({ retention: RETENTION.slice(1) });
    const next = new Monitor({ config, now: () => clock.now, tell: () => undefined });
    next.restore(structuredClone(monitor.snapshot()));
    clock.now += 1;
    next.execute({ op: 'record', name: 'c', kind: 'counter', value: 2 });
    clock.now += 1;
    expect(next.execute({ op: 'query', name: 'c' })).toMatchObject({
      stepMs: 10_000,
      series: [{ points: [{ at: START, value: 7 }] }],
    });
    expect(next.execute({ op: 'query', name: 'h', aggregate: 'p50' })).toMatchObject({
      series: [{ points: [{ at: START, value: 5 }] }],
    });
  });
});
