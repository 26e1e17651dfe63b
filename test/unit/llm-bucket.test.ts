import { describe, expect, it } from 'vitest';

import { fullBucket, giveBack, reserve, type Bucket } from '../../plugins/llm/bucket.ts';
import { fc } from '../support/properties.ts';

const MINUTE = 60_000;

describe('a token bucket', () => {
  it('has a minute worth at the start, and then what comes in', () => {
    let bucket = fullBucket(3, 0);
    const waits = [0, 0, 0, 0, 0].map((now) => {
      const taken = reserve(bucket, 1, now);
      bucket = taken.bucket;
      return taken.waitMs;
    });
    expect(waits).toEqual([0, 0, 0, MINUTE / 3, (2 * MINUTE) / 3]);
  });

  it('is full again after a minute, and never fuller', () => {
    const { bucket } = reserve(fullBucket(10, 0), 10, 0);
    expect(reserve(bucket, 10, MINUTE).waitMs).toBe(0);
    expect(reserve(bucket, 10, MINUTE / 2).waitMs).toBe(MINUTE / 2);
    const later = reserve(bucket, 10, 100 * MINUTE);
    expect(later.bucket.level).toBe(0);
  });

  it('lets through what is larger than itself when it is full', () => {
    const first = reserve(fullBucket(10, 0), 1_000, 0);
    expect(first.waitMs).toBe(0);
    expect(reserve(first.bucket, 1_000, 0).waitMs).toBe(MINUTE);
  });

  it('takes back what was not used, and more where more was', () => {
    const { bucket } = reserve(fullBucket(60, 0), 60, 0);
    expect(reserve(giveBack(bucket, 30), 30, 0).waitMs).toBe(0);
    expect(reserve(giveBack(bucket, -30), 1, 0).waitMs).toBe(31_000);
    expect(giveBack(bucket, 1_000).level).toBe(60);
  });

  it('fills nothing when the clock is set back', () => {
    const { bucket } = reserve(fullBucket(60, 1_000), 60, 1_000);
    expect(reserve(bucket, 1, 0).waitMs).toBe(1_000);
  });

  it('never lets more through in a stretch of time than it had and what came in', () => {
    const takes = fc.array(fc.tuple(fc.nat(5_000), fc.integer({ min: 1, max: 20 })), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(takes, (steps) => {
        let bucket: Bucket = fullBucket(20, 0);
        let now = 0;
        const used: [at: number, amount: number][] = [];
        for (const [later, amount] of steps) {
          now += later;
          const taken = reserve(bucket, amount, now);
          bucket = taken.bucket;
          used.push([now + taken.waitMs, amount]);
        }
        const last = Math.max(...used.map(([at]) => at));
        const total = used.reduce((sum, [, amount]) => sum + amount, 0);
        expect(total).toBeLessThanOrEqual(20 + (last * 20) / MINUTE + 1e-6);
        // first come, first served
        expect(used.map(([at]) => at)).toEqual(used.map(([at]) => at).toSorted((a, b) => a - b));
      }),
    );
  });
});
