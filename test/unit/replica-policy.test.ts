import { describe, expect, it } from 'vitest';

import { decideScale, type LoadLook, type LoadTrend } from '../../src/supervisor/replica-policy.ts';

const BOUNDS = { min: 1, max: 8, growAfterMs: 500, shrinkAfterMs: 30_000 };

/** Looks four times a second, and says how many replicas there were after each look. */
function follow(
  loads: readonly number[],
  { replicas = 1, concurrency = 1, everyMs = 250, bounds = BOUNDS } = {},
): number[] {
  let trend: LoadTrend = {};
  let count = replicas;
  return loads.map((open, at) => {
    const hasRoom = open < count * concurrency;
    const look: LoadLook = { replicas: count, concurrency, open, hasRoom, now: at * everyMs };
    const decision = decideScale(bounds, look, trend);
    trend = decision.trend;
    count = decision.to;
    return count;
  });
}

const always = (open: number, looks: number): number[] => Array.from({ length: looks }, () => open);

describe('the number of replicas', () => {
  it('grows once calls have waited long enough, at most to the double', () => {
    expect(follow(always(100, 11))).toEqual([1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8]);
  });

  it('grows by no more than the waiting calls can use', () => {
    expect(follow(always(6, 4), { replicas: 4 })).toEqual([4, 4, 6, 6]);
    expect(follow(always(9, 4), { replicas: 4, concurrency: 2 })).toEqual([4, 4, 5, 5]);
  });

  it('stays where the calls that wait are gone at one look', () => {
    expect(follow([5, 5, 0, 5, 5, 1, 5, 5])).toEqual(always(1, 8));
  });

  it('stays where somebody has room: those calls have a key, or are about to move', () => {
    const look = { replicas: 2, concurrency: 1, open: 9, hasRoom: true };
    const first = decideScale(BOUNDS, { ...look, now: 0 }, {});
    expect(decideScale(BOUNDS, { ...look, now: 10_000 }, first.trend).to).toBe(2);
  });

  it('shrinks one by one, each after the whole time without need', () => {
    const seconds = { replicas: 3, everyMs: 15_000 };
    expect(follow(always(0, 8), seconds)).toEqual([3, 3, 2, 2, 2, 1, 1, 1]);
  });

  it('does not shrink while the others would have little room left', () => {
    const seconds = { replicas: 4, everyMs: 15_000 };
    expect(follow(always(2, 4), seconds)).toEqual(always(4, 4));
    expect(follow(always(1, 4), seconds)).toEqual([4, 4, 3, 3]);
    // one busy moment, and the time begins anew
    expect(follow([0, 0, 4, 0, 0, 0], seconds)).toEqual([4, 4, 4, 4, 4, 3]);
  });

  it('keeps to its bounds', () => {
    const bounds = { ...BOUNDS, min: 2, max: 3 };
    expect(follow(always(99, 6), { replicas: 2, bounds })).toEqual([2, 2, 3, 3, 3, 3]);
    expect(follow(always(0, 6), { replicas: 2, bounds, everyMs: 60_000 })).toEqual(always(2, 6));
  });

  it('does not flap under a load that stays the same, whatever it is', () => {
    for (let open = 0; open <= 12; open++) {
      const counts = follow(always(open, 4_000), { replicas: 4 });
      const turns = counts.filter((count, at) => {
        const [before, next] = [counts[at - 1] ?? count, counts[at + 1] ?? count];
        return Math.sign(next - count) * Math.sign(count - before) < 0;
      });
      expect({ open, turns }).toEqual({ open, turns: [] });
      expect(new Set(counts.slice(2_000)).size).toBe(1);
    }
  });
});
