import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { roundTrip } from '../support/codec.ts';

describe('a value of another realm', () => {
  const [map, date, error, bytes] = runInNewContext(
    `[new Map([[1, new Set([2])]]), new Date(5), new RangeError('far'), new Uint8Array([1, 2])]`,
  ) as [Map<number, Set<number>>, Date, Error, Uint8Array];

  it('arrives as what it is', () => {
    expect(roundTrip(map)).toEqual(new Map([[1, new Set([2])]]));
    expect(roundTrip(date)).toEqual(new Date(5));
    expect(roundTrip(error)).toMatchObject({ name: 'RangeError', message: 'far' });
    expect(roundTrip(bytes)).toEqual(new Uint8Array([1, 2]));
  });
});

describe('a bigint of a million digits', () => {
  it('costs about what its bytes cost, not their square', () => {
    const huge = 1n << 4_000_000n;
    const baseMs = took(() => BigInt(`0x${huge.toString(16)}`));
    expect(took(() => roundTrip(huge))).toBeLessThan(Math.max(50, baseMs * 20));
  });
});

describe('what differs from structuredClone', () => {
  it('is this: named properties of an array are left out', () => {
    const match = /(?<letter>a)/.exec('a');
    expect(Object.keys(roundTrip(match) ?? {})).toEqual(['0', '1']);
  });

  it('is this: views of one buffer arrive each with a buffer of its own', () => {
    const { buffer } = new Uint8Array(8);
    const [left, right] = roundTrip([new Uint8Array(buffer), new Uint8Array(buffer)]) as [
      Uint8Array,
      Uint8Array,
    ];
    expect(left.buffer).not.toBe(right.buffer);
  });
});

function took(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
