import { describe, expect, it } from 'vitest';

import { affinityOf, splitRoute, withAffinity } from '../../src/protocol/affinity.ts';
import { ROUTES_MAX } from '../../src/protocol/limits.ts';
import { keyedTo, leastLoaded, type Candidate } from '../../src/supervisor/replica-choice.ts';
import { fc } from '../support/properties.ts';

function candidates(count: number): Candidate[] {
  return Array.from({ length: count }, (_, replica) => of(replica));
}

function of(replica: number, fields: Partial<Candidate> = {}): Candidate {
  return { replica, isOpen: true, isRunning: true, load: 0, ...fields };
}

const keys = Array.from({ length: 10_000 }, (_, at) => `user-${at}`);

describe('the least loaded replica', () => {
  it('has the fewest calls, and is of equals the first from a position on', () => {
    const loads = [3, 1, 2, 1].map((load, replica) => of(replica, { load }));
    const chosen = [0, 1, 2, 3].map((from) => leastLoaded(loads, from)?.replica);
    expect(chosen).toEqual([1, 1, 3, 3]);
  });

  it('runs, where one does; else it keeps calls', () => {
    const waits = { isRunning: false };
    const mixedLoads = [of(0, { ...waits, load: 0 }), of(1, { load: 9 }), of(2, { isOpen: false })];
    expect(leastLoaded(mixedLoads, 0)?.replica).toBe(1);
    expect(leastLoaded([of(0, { ...waits, load: 5 }), of(1, waits)], 0)?.replica).toBe(1);
    expect(leastLoaded([of(0, { isOpen: false })], 0)).toBeUndefined();
  });

  it('is one that suits', () => {
    expect(leastLoaded(candidates(3), 0, ({ replica }) => replica === 2)?.replica).toBe(2);
    expect(leastLoaded(candidates(3), 0, () => false)).toBeUndefined();
  });
});

describe('the replica of a key', () => {
  it.each([null, Number.NaN, true, {}, Symbol('key')])('is for no %s', (key) => {
    expect(() => affinityOf(key as string)).toThrow(/^affinity must be a string or a finite/);
  });

  it('is the same for the same key, be it a number or a text', () => {
    expect(affinityOf(7)).toBe(affinityOf('7'));
    expect(affinityOf(undefined)).toBe(0);
    expect(affinityOf('')).toBeGreaterThan(0);
    for (const key of keys) {
      const affinity = affinityOf(key);
      expect(keyedTo(affinity, candidates(5))).toEqual(keyedTo(affinity, candidates(5)));
    }
  });

  it.each([2, 3, 8, 31])('gives each of %i replicas about its share of the keys', (count) => {
    const shares = candidates(count).map(() => 0);
    for (const key of keys) {
      const { replica = -1 } = keyedTo(affinityOf(key), candidates(count)) ?? {};
      shares[replica] = (shares[replica] ?? 0) + 1;
    }
    const fair = keys.length / count;
    for (const share of shares) {
      expect(share).toBeGreaterThan(fair * 0.7);
      expect(share).toBeLessThan(fair * 1.3);
    }
  });

  it('changes for those keys only that a replica brings or takes with it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.string(), fc.nat(), (count, key, at) => {
        const affinity = affinityOf(key);
        const before = keyedTo(affinity, candidates(count))?.replica;
        const more = keyedTo(affinity, candidates(count + 1))?.replica;
        expect([before, count]).toContain(more);
        const gone = at % count;
        const without = candidates(count).map((each) =>
          of(each.replica, { isOpen: each.replica !== gone }),
        );
        const after = keyedTo(affinity, without)?.replica;
        expect(after === before).toBe(before !== gone);
      }),
    );
  });

  it('travels beside a route', () => {
    for (const route of [1, ROUTES_MAX]) {
      for (const affinity of [0, 1, 40_000, 65_535]) {
        expect(splitRoute(withAffinity(route, affinity))).toEqual({ route, affinity });
      }
    }
  });
});
