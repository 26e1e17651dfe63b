import { describe, expect, it } from 'vitest';

import {
  BEST_PEER,
  boundSaid,
  comparisonSaid,
  holds,
  verdictOf,
  type Comparison,
  type Field,
} from '../../bench/support/comparison.ts';
import type { Row } from '../../bench/support/row.ts';

const row = (contender: string, values: number[], group = 'g'): Row => ({
  group,
  contender,
  settings: '',
  values,
});
const ROWS: Row[] = [
  row('troupe', [80, 88, 90]),
  row('bare', [40, 40, 40]),
  row('slow', [5, 5, 5]),
  row('fast', [20, 22, 20]),
  { group: 'g', contender: 'broken', settings: '', failed: 'no answer within 3 s' },
  row('troupe', [8, 8, 8], 'h'),
];
const FIELD: Field = { rows: ROWS, better: 'higher', peers: ['slow', 'fast', 'broken'] };
const against = (contender: string, bound: Comparison['bound']): Comparison => ({
  of: { group: 'g', contender: 'troupe' },
  against: { group: 'g', contender },
  bound,
});

describe('a comparison', () => {
  it('is reached where the median of the ratios is within its bound', () => {
    expect(verdictOf(against('bare', { atLeast: 2.2 }), FIELD)).toEqual({
      outcome: 'reached',
      against: 'bare',
      ratio: { median: 2.2, lowerQuartile: 2.1, upperQuartile: 2.225, min: 2, max: 2.25 },
    });
  });

  it('is missed where it is not', () => {
    expect(verdictOf(against('bare', { atLeast: 2.21 }), FIELD).outcome).toBe('missed');
    expect(verdictOf(against('bare', { atMost: 2 }), FIELD).outcome).toBe('missed');
  });

  it('with the best peer takes the one with the best median, whichever is better', () => {
    expect(verdictOf(against(BEST_PEER, { atLeast: 1 }), FIELD)).toMatchObject({ against: 'fast' });
    expect(
      verdictOf(against(BEST_PEER, { atLeast: 1 }), { ...FIELD, better: 'lower' }),
    ).toMatchObject({ against: 'slow' });
  });

  it('goes from one group to another', () => {
    const growth: Comparison = {
      of: { group: 'h', contender: 'troupe' },
      against: { group: 'g', contender: 'troupe' },
      bound: { atMost: 1 },
    };
    expect(verdictOf(growth, FIELD)).toMatchObject({
      outcome: 'reached',
      ratio: { min: 8 / 90, max: 0.1 },
    });
    expect(comparisonSaid(growth)).toBe('troupe: h against g');
  });

  it('is unknown, with a reason, where one side failed or is missing', () => {
    expect(verdictOf(against('broken', { atLeast: 1 }), FIELD)).toEqual({
      outcome: 'unknown',
      reason: 'broken failed: no answer within 3 s',
    });
    expect(verdictOf(against('nobody', { atLeast: 1 }), FIELD)).toEqual({
      outcome: 'unknown',
      reason: 'nobody was not measured',
    });
    expect(verdictOf(against(BEST_PEER, { atLeast: 1 }), { ...FIELD, peers: [] })).toEqual({
      outcome: 'unknown',
      reason: 'no peer was measured',
    });
  });

  it('is said in words', () => {
    expect(comparisonSaid(against('bare', { atLeast: 1 }))).toBe('g: troupe against bare');
    expect(boundSaid({ atLeast: 2.2 })).toBe('at least 2.2 ×');
    expect(boundSaid({ atMost: 1 })).toBe('at most 1 ×');
  });
});

describe('a bound', () => {
  it('holds at its edge, and not for what is no number', () => {
    expect(holds({ atLeast: 2 }, 2)).toBe(true);
    expect(holds({ atMost: 2 }, 2)).toBe(true);
    expect(holds({ atLeast: 2 }, Number.NaN)).toBe(false);
    expect(holds({ atMost: 2 }, Number.NaN)).toBe(false);
  });
});
