import { describe, expect, it } from 'vitest';

import {
  behindLast,
  byteOrder,
  fromByteOrder,
  isBefore,
  isEmpty,
  rangeOf,
} from '../../plugins/storage/key-range.ts';
import {
  entryKey,
  expiredEnd,
  expiryKey,
  fromEntryKey,
  fromExpiryKey,
  namespaceEnd,
} from '../../plugins/storage/lmdb-keys.ts';
import { SortedKeys } from '../../plugins/storage/sorted-keys.ts';
import { fc } from '../support/properties.ts';

const anyKey = fc.string({ unit: 'binary', maxLength: 12 });
/** Often the same, so that ranges meet their ends. */
const shortKey = fc.string({
  unit: fc.constantFrom('a', 'b', 'é', '🎭', '\0', '\u{ffff}'),
  maxLength: 4,
});

function compare(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

describe('the order of keys', () => {
  it('is that of their bytes', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (one, other) => {
        expect(isBefore(one, other)).toBe(compare(one, other) < 0);
        expect(fromByteOrder(byteOrder(one))).toBe(one);
      }),
    );
  });

  it('has exactly the keys with a prefix, between two bounds, in its range', () => {
    fc.assert(
      fc.property(shortKey, shortKey, shortKey, fc.option(shortKey), (key, prefix, start, end) => {
        const range = rangeOf({ prefix, start, end: end ?? undefined });
        const isIn =
          !isBefore(key, range.from) && (range.to === undefined || isBefore(key, range.to));
        const belongs =
          key.startsWith(prefix) &&
          compare(key, start) >= 0 &&
          (end === null || compare(key, end) < 0);
        expect(isIn).toBe(belongs);
        expect(belongs && isEmpty(range)).toBe(false);
      }),
    );
  });

  it('goes on behind the last key, in both directions', () => {
    expect(behindLast({ from: 'a', to: 'c' }, 'b', false)).toEqual({ from: 'b\0', to: 'c' });
    expect(behindLast({ from: 'a', to: undefined }, 'b', true)).toEqual({ from: 'a', to: 'b' });
  });

  it('has no end behind a prefix of the last code points', () => {
    expect(rangeOf({ prefix: '\u{10ffff}' })).toEqual({ from: '\u{10ffff}', to: undefined });
    expect(rangeOf({ prefix: 'a\u{10ffff}' })).toEqual({ from: 'a\u{10ffff}', to: 'b' });
    expect(rangeOf({ prefix: '\ud7ff' })).toEqual({ from: '\ud7ff', to: '\ue000' });
  });
});

describe('a key in LMDB', () => {
  it('is ordered by namespace, then by key, and comes back as it was', () => {
    fc.assert(
      fc.property(shortKey, shortKey, shortKey, shortKey, (space, one, other, elsewhere) => {
        const [first, second] = [entryKey(space, one), entryKey(space, other)];
        expect(Buffer.compare(first, second)).toBe(compare(one, other));
        expect(Buffer.compare(first, namespaceEnd(space))).toBe(-1);
        expect(fromEntryKey(first)).toEqual({ namespace: space, key: one });
        if (elsewhere === space) return;
        const stranger = entryKey(elsewhere, one);
        const isWithin =
          Buffer.compare(stranger, entryKey(space, '')) >= 0 &&
          Buffer.compare(stranger, namespaceEnd(space)) < 0;
        expect(isWithin).toBe(false);
      }),
    );
  });

  it('is found among what has expired from the moment it does', () => {
    const key = entryKey('space', 'key');
    expect(Buffer.compare(expiryKey(1_000, key), expiredEnd(999))).toBe(1);
    expect(Buffer.compare(expiryKey(1_000, key), expiredEnd(1_000))).toBe(-1);
    expect(fromExpiryKey(expiryKey(1_000, key))).toEqual({ namespace: 'space', key: 'key' });
  });
});

describe('sorted keys', () => {
  it('are what a sorted set would be', () => {
    const action = fc.record({ add: fc.boolean(), key: fc.nat({ max: 400 }) });
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 300 }),
        fc.nat(400),
        fc.nat(400),
        (actions, a, b) => {
          const keys = new SortedKeys();
          const model = new Set<string>();
          for (const { add, key } of actions) {
            const name = String(key).padStart(3, '0');
            if (add) keys.add(name);
            else keys.delete(name);
            if (add) model.add(name);
            else model.delete(name);
          }
          expectSame(keys, model, String(a).padStart(3, '0'), String(b).padStart(3, '0'));
        },
      ),
    );
  });

  it('stay sorted over many chunks', () => {
    const keys = new SortedKeys();
    const model = new Set<string>();
    for (let n = 0; n < 20_000; n++) {
      const key = String((n * 7_919) % 20_011).padStart(5, '0');
      keys.add(key);
      model.add(key);
    }
    expectSame(keys, model, '04000', '16000');
    for (let n = 0; n < 19_000; n++) {
      const key = String((n * 7_919) % 20_011).padStart(5, '0');
      keys.delete(key);
      model.delete(key);
    }
    expectSame(keys, model, '04000', '16000');
    expect(keys.size).toBe(model.size);
  });
});

function expectSame(keys: SortedKeys, model: Set<string>, from: string, to: string): void {
  const all = [...model].sort();
  expect(keys.size).toBe(all.length);
  expect([...keys.between('', undefined)]).toEqual(all);
  expect([...keys.between('', undefined, true)]).toEqual(all.toReversed());
  const within = all.filter((key) => key >= from && key < to);
  expect([...keys.between(from, to)]).toEqual(within);
  expect([...keys.between(from, to, true)]).toEqual(within.toReversed());
  expect(keys.count(from, to)).toBe(within.length);
}
