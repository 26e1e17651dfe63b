import { describe, expect, it } from 'vitest';

import { Meter, type MeterOptions } from '../../src/cli/bench/meter.ts';
import { planSweep } from '../../src/cli/bench/plan.ts';
import { areApart, relativeSpread, spreadOf, type Spread } from '../../src/cli/bench/statistics.ts';

function meterAt(options: Partial<MeterOptions>): { meter: Meter; clock: { ms: number } } {
  const clock = { ms: 100 };
  const all = { warmupMs: 0, durationMs: undefined, calls: undefined, ...options };
  return { meter: new Meter(all, () => clock.ms), clock };
}

describe('a meter', () => {
  it('counts from the first event after the warm-up to the first at the end of the window', () => {
    const { meter, clock } = meterAt({ warmupMs: 10, durationMs: 20 });
    for (const at of [105, 112, 120, 131, 133]) {
      const since = clock.ms;
      clock.ms = at;
      meter.succeeded(since);
    }
    // opened at 112, and shut at 133: 120, 131 and 133
    const { windowMs, succeeded, latencyMs } = meter.count();
    expect({ windowMs, succeeded, isOver: meter.isOver }).toEqual({
      windowMs: 21,
      succeeded: 3,
      isOver: true,
    });
    expect(latencyMs?.max).toBeCloseTo(11, 1);
    expect(latencyMs?.mean).toBeCloseTo(7, 1);
    expect(latencyMs?.p50).toBeCloseTo(8, 1);
  });

  it('gives the right rate of a call that is slower than the window', () => {
    const { meter, clock } = meterAt({ warmupMs: 10, durationMs: 10 });
    for (const at of [400, 700]) {
      clock.ms = at;
      meter.succeeded(at - 300);
    }
    expect(meter.count()).toMatchObject({ windowMs: 300, succeeded: 1 });
  });

  it('ends at a number of calls, failed ones included, or at its time', () => {
    const { meter, clock } = meterAt({ durationMs: 1_000, calls: 3 });
    meter.succeeded(100);
    meter.failed('CALL_FAILED');
    expect(meter.isOver).toBe(false);
    clock.ms = 110;
    meter.failed('CALL_FAILED');
    expect({ isOver: meter.isOver, ...meter.count() }).toMatchObject({
      isOver: true,
      windowMs: 10,
      succeeded: 1,
      failures: { CALL_FAILED: 2 },
    });
  });

  it('counts chunks apart from calls, and has no latency without an answered call', () => {
    const { meter, clock } = meterAt({ durationMs: 10 });
    meter.chunk();
    meter.chunk();
    clock.ms = 110;
    meter.chunk();
    expect(meter.count()).toEqual({
      windowMs: 10,
      succeeded: 0,
      chunks: 3,
      failures: {},
      latencyMs: undefined,
    });
  });

  it('counts nothing after it was stopped, and tells once when it opens and shuts', () => {
    const told: string[] = [];
    const { meter, clock } = meterAt({
      warmupMs: 5,
      durationMs: 50,
      onOpen: () => told.push('open'),
      onShut: () => told.push('shut'),
    });
    for (const at of [106, 110]) {
      clock.ms = at;
      meter.succeeded(at);
    }
    clock.ms = 120;
    meter.stop();
    meter.stop();
    clock.ms = 200;
    meter.succeeded(100);
    meter.failed('PLUGIN_STOPPED');
    expect(told).toEqual(['open', 'shut']);
    expect(meter.count()).toMatchObject({ windowMs: 14, succeeded: 1, failures: {} });
  });

  it('that was stopped while warming up counted nothing', () => {
    const { meter } = meterAt({ warmupMs: 5, durationMs: 50 });
    meter.stop();
    expect(meter.count()).toMatchObject({ windowMs: 0, succeeded: 0, latencyMs: undefined });
  });
});

describe('the spread of rounds', () => {
  it('is their median and their extremes', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(spreadOf([])).toBeUndefined();
    expect(relativeSpread({ median: 100, min: 90, max: 110 })).toBe(0.1);
  });

  it('is beyond another one where no round is inside of it', () => {
    expect(areApart(of(1, 2), of(3, 4))).toBe(true);
    expect(areApart(of(3, 4), of(1, 2))).toBe(true);
    expect(areApart(of(1, 3), of(3, 4))).toBe(false);
    expect(areApart(of(1, 9), of(3, 4))).toBe(false);
  });
});

describe('a sweep', () => {
  it('leaves out what would give some threads nothing to do', () => {
    expect(planSweep([1, 2], [1, 4])).toEqual({
      cells: [
        { threads: 1, inFlight: 1 },
        { threads: 1, inFlight: 4 },
        { threads: 2, inFlight: 4 },
      ],
      leftOut: [{ threads: 2, inFlight: 1 }],
    });
  });
});

function of(min: number, max: number): Spread {
  return { median: min, min, max };
}
