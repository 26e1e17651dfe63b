/** A series that does not change raises an alert once or never, whatever window its rule looks at. */
import { describe, expect, it } from 'vitest';

import { Monitor } from '../../plugins/monitor/monitor.ts';
import { readConfig } from '../../plugins/monitor/read-config.ts';
import type { Rule } from '../../plugins/monitor/types.ts';

const SAMPLE_MS = 250;
/** In the middle of a cell. */
const START = 1_800_000_000_137;

type Feed = (at: number) => object;
/** Ten a second each. */
const counter: Feed = () => ({ kind: 'counter', value: 2.5 });
const ramp: Feed = (at) => ({ kind: 'gauge', value: at * 2.5 });
const level: Feed = () => ({ kind: 'gauge', value: 100 });
const times: Feed = () => ({ kind: 'histogram', value: 100 });

/** What is told in so long, as one word each. */
function play(rule: object, feed: Feed, seconds: number): string[] {
  let now = START;
  const told: string[] = [];
  const monitor = new Monitor({
    config: readConfig({ rules: [{ name: 'steady', metric: 'x', ...rule } as Rule] }),
    now: () => now,
    tell: ({ state }) => told.push(state),
  });
  for (let at = 0; at * SAMPLE_MS < seconds * 1_000; at++) {
    now = START + at * SAMPLE_MS;
    monitor.execute({ op: 'record', name: 'x', ...feed(at) });
    monitor.look();
  }
  return told;
}

const WINDOWS = [1, 500, 1_000, 1_500, 2_000, 5_000, 10_000, 60_000];

describe.each(WINDOWS)('over %d ms', (overMs) => {
  it.each([
    ['a counter of 10/s above 8', { type: 'rate', above: 8 }, counter],
    ['a ramp of 10/s above 8', { type: 'rate', above: 8 }, ramp],
    ['a ramp of 10/s above 9', { type: 'rate', above: 9 }, ramp],
    ['the mean of 100 above 50', { type: 'threshold', aggregate: 'avg', above: 50 }, level],
    ['the last of 100 above 50', { type: 'threshold', aggregate: 'last', above: 50 }, level],
    ['the p99 of 100 above 50', { type: 'threshold', aggregate: 'p99', above: 50 }, times],
  ])('%s fires once, and stays', (_, rule, feed) => {
    expect(play({ ...rule, overMs }, feed, 120)).toEqual(['firing']);
  });

  it.each([
    ['a counter of 10/s below 8', { type: 'rate', below: 8 }, counter],
    ['a ramp of 10/s below 8', { type: 'rate', below: 8 }, ramp],
    ['the mean of 100 below 99', { type: 'threshold', aggregate: 'avg', below: 99 }, level],
  ])('%s never fires, a new series included', (_, rule, feed) => {
    expect(play({ ...rule, overMs }, feed, 120)).toEqual([]);
  });
});

it('a window that only the coarser cells reach is as steady', () => {
  const rule = { type: 'rate', below: 9.9, overMs: 360_000 };
  expect(play(rule, counter, 1_000)).toEqual([]);
});
