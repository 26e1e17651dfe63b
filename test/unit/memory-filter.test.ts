import { describe, expect, it } from 'vitest';

import { compileFilter } from '../../plugins/memory/filter.ts';
import type { MemoryFilter, MemoryMetadata } from '../../plugins/memory/types.ts';

const ADA: MemoryMetadata = {
  name: 'Ada',
  age: 36,
  since: '1843-08-10',
  known: true,
  tags: ['engine', 'notes', 7],
  ended: null,
  address: { city: 'London' },
};

const MATCHES: [string, MemoryFilter][] = [
  ['nothing', {}],
  ['a value', { name: 'Ada', age: 36, known: true, ended: null }],
  ['a value that is not given', { name: undefined, age: 36 }],
  ['eq and ne', { name: { eq: 'Ada', ne: 'Eve' } }],
  ['ne of what is not there', { nick: { ne: 'Eve' } }],
  ['numbers', { age: { gt: 35, gte: 36, lt: 37, lte: 36 } }],
  ['strings', { since: { gt: '1843', lt: '1844' } }],
  ['one of several', { name: { in: ['Eve', 'Ada'] } }],
  ['a list with it', { tags: { contains: 7 } }],
  ['what is there', { address: { exists: true }, nick: { exists: false } }],
  ['one of two', { $any: [{ name: 'Eve' }, { age: 36 }] }],
  ['not', { $not: { name: 'Eve' } }],
];

const FAILS: [string, MemoryFilter][] = [
  ['another value', { name: 'ada' }],
  ['a value of another type', { age: '36' }],
  ['one of two conditions', { name: 'Ada', age: 1 }],
  ['numbers and strings have no order', { name: { gt: 1 } }],
  ['what is not there has no order', { nick: { lt: 'z' } }],
  ['what every object has is not there', { toString: { exists: true } }],
  ['a list is no value', { tags: 'engine' }],
  ['neither of two', { $any: [{ name: 'Eve' }, { age: 1 }] }],
  ['not', { $not: { name: 'Ada' } }],
];

const REFUSED: [unknown, RegExp][] = [
  ['name = Ada', /^filter must be an object/],
  [null, /^filter must be an object/],
  [[{ name: 'Ada' }], /^filter must be an object/],
  [{ name: {} }, /^filter\.name must be a value, or an object of eq, /],
  [{ name: ['Ada'] }, /^filter\.name must be a value/],
  [{ name: NaN }, /^filter\.name must be a value/],
  [{ name: { like: 'A%' } }, /^filter\.name\.like is unknown; there are eq, ne/],
  [{ name: { constructor: 1 } }, /^filter\.name\.constructor is unknown/],
  [{ age: { gt: true } }, /^filter\.age\.gt must be a number or a string/],
  [{ age: { in: 36 } }, /^filter\.age\.in must be a list/],
  [{ age: { exists: 1 } }, /^filter\.age\.exists must be true or false/],
  [{ age: { eq: {} } }, /^filter\.age\.eq must be a string, number, boolean or null/],
  [{ $any: [] }, /^filter\.\$any must be a list of filters/],
  [{ $any: [{ $not: 5 }] }, /^filter\.\$any\[0\]\.\$not must be an object/],
  [{ $where: '1' }, /^filter\.\$where is unknown; there are \$any and \$not/],
  [nested(20), /is nested deeper than 8$/],
  [{ $any: Array.from({ length: 300 }, () => ({ a: 1 })) }, /is one condition more than 256$/],
];

describe('a filter', () => {
  it.each(MATCHES)('holds: %s', (_, filter) => {
    expect(compileFilter(filter)(ADA)).toBe(true);
  });

  it.each(FAILS)('does not hold: %s', (_, filter) => {
    expect(compileFilter(filter)(ADA)).toBe(false);
  });

  it.each(REFUSED)('that is none is refused by its place: %j', (filter, message) => {
    expect(() => compileFilter(filter)).toThrow(
      expect.objectContaining({
        code: 'MEMORY_INVALID_FILTER',
        message: expect.stringMatching(message) as string,
      }),
    );
  });
});

function nested(levels: number): unknown {
  return levels === 0 ? { a: 1 } : { $not: nested(levels - 1) };
}
