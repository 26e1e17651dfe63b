import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { QUESTIONS } from '../../bench/questions/all.ts';
import { boundsFrom, breached, judged } from '../../bench/support/guard.ts';
import type { Row } from '../../bench/support/row.ts';

const ANSWERS = [{ name: 'calls', better: 'higher' as const }];
const BOUND = {
  question: 'calls',
  of: { group: 'g', contender: 'troupe' },
  against: { group: 'g', contender: 'bare' },
  bound: { atLeast: 1 },
  reason: 'was 3',
};
const rows = (troupe: number[], bare: number[]): Row[] => [
  { group: 'g', contender: 'troupe', settings: '', values: troupe },
  { group: 'g', contender: 'bare', settings: '', values: bare },
];

describe('the guard', () => {
  it('lets pass what is within its bounds', () => {
    const bounds = boundsFrom({ bounds: [BOUND] }, ANSWERS);
    expect(breached(judged(bounds, rows([30, 31, 29], [10, 10, 10]), ANSWERS))).toEqual([]);
  });

  it('names what is out of its bounds', () => {
    const bounds = boundsFrom({ bounds: [BOUND] }, ANSWERS);
    expect(breached(judged(bounds, rows([9, 9, 30], [10, 10, 10]), ANSWERS))).toEqual([BOUND]);
  });

  it('does not take for good what it could not measure', () => {
    const bounds = boundsFrom({ bounds: [BOUND] }, ANSWERS);
    expect(breached(judged(bounds, [], ANSWERS))).toEqual([BOUND]);
  });

  it('refuses a bound on a question there is not, and one without a reason', () => {
    expect(() => boundsFrom({ bounds: [{ ...BOUND, question: 'calsl' }] }, ANSWERS)).toThrow(
      'a bound is on calsl, which is no question',
    );
    const { reason: _, ...mute } = BOUND;
    expect(() => boundsFrom({ bounds: [mute] }, ANSWERS)).toThrow('reason');
  });

  it('has a file of bounds that each name a known question and say why', () => {
    const file: unknown = JSON.parse(
      readFileSync(new URL('../../bench/guard.json', import.meta.url), 'utf8'),
    );
    expect(boundsFrom(file, QUESTIONS).length).toBeGreaterThan(10);
  });
});
