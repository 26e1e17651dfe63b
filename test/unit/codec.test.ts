import { describe, expect, it } from 'vitest';

import { bodyOf, decode, encode, keepable } from '../../src/protocol/codec.ts';
import { LIMITS, roundTrip } from '../support/codec.ts';
import { assertTwin } from '../support/twin.ts';

const LONE_HIGH = '\uD83D';
const BOM = '\uFEFF';

class Point {
  x = 1;
  readonly #secret = 2;
  get sum(): number {
    return this.x + this.#secret;
  }
}

/** What arrives is what structuredClone makes of it. */
const VALUES: Record<string, unknown> = {
  'null': null,
  'true': true,
  'false': false,
  'undefined': undefined,
  'an undefined property': { a: undefined, b: 1 },
  'an undefined item': [undefined, 1],
  'zero': 0,
  'minus zero': -0,
  'minus zero inside': { a: [-0] },
  'NaN': Number.NaN,
  'infinities': [Infinity, -Infinity],
  'integers at the edges of their encodings': [
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53,
    -1,
    -32,
    -33,
    -128,
    -129,
    -32_768,
    -32_769,
    -(2 ** 31),
    -(2 ** 31) - 1,
    -(2 ** 53),
  ],
  'fractions': [0.1, 1e-320, Number.MIN_VALUE, Number.MAX_VALUE, 1.5e300],
  'small bigints': [0n, 1n, -1n, 2n ** 31n, -(2n ** 31n)],
  'bigints at the edge of 64 bits': [
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
  ],
  'a huge bigint': 10n ** 2_000n,
  'an empty string': '',
  'strings at the edges of their encodings': [31, 32, 255, 256, 65_535, 65_536].map((n) =>
    'x'.repeat(n),
  ),
  'text': 'æ 漢字 🙂 \0 \u2028',
  'a lone surrogate': LONE_HIGH,
  'lone surrogates within text': `a${LONE_HIGH}b\uDC00🙂`,
  'a byte-order mark': BOM,
  'a byte-order mark before a long string': BOM + 'x'.repeat(10_000),
  'a byte-order mark within a string': `a${BOM}${'x'.repeat(10_000)}`,
  'a byte-order mark in a key': { [BOM]: 1, [`${BOM}long${'x'.repeat(100)}`]: 2 },
  'a lone surrogate in a key': { [LONE_HIGH]: 1 },
  'an empty object': {},
  'an empty array': [],
  'nested containers': { a: [{ b: [[], {}] }], c: { d: { e: null } } },
  'a large array': Array.from({ length: 70_000 }, (_, i) => i),
  'a large object': Object.fromEntries(
    Array.from({ length: 70_000 }, (_, i) => [`k${String(i)}`, i]),
  ),
  'numeric keys': { 2: 'b', 1: 'a', z: 0 },
  'keys of Object.prototype': { constructor: 1, hasOwnProperty: 2, toString: 3, valueOf: { a: 1 } },
  'an own key __proto__': JSON.parse('{"__proto__": {"polluted": true}, "a": 1}') as object,
  'a property toJSON': { toJSON: 'not called', a: 1 },
  'an object without a prototype': Object.assign(Object.create(null) as object, { a: 1 }),
  'an instance of a class': new Point(),
  'a getter': {
    get a() {
      return [1];
    },
  },
  'symbol keys': { [Symbol('left out')]: 1, a: 1 },
  'a property that is not enumerable': Object.defineProperty({ a: 1 }, 'hidden', { value: 2 }),
  // oxlint-disable-next-line no-sparse-arrays
  'a sparse array': [, 1, , undefined, ,],
  'a long sparse array': Object.assign([], { 1_000_000: 'x' }),
  'an array of holes': Array.from({ length: 3 })
    .fill(0)
    .flatMap(() => []),
  'a date': new Date(1_234_567_890_123),
  'an invalid date': new Date(Number.NaN),
  'a regular expression': /a(b)?\/[c]/giu,
  'a regular expression with its place': Object.assign(/a/g, { lastIndex: 3 }),
  'a map': new Map<unknown, unknown>([
    [1, 'a'],
    ['1', 'b'],
    [{ k: 1 }, new Map([[Number.NaN, -0]])],
    [null, undefined],
  ]),
  'a set': new Set<unknown>([1, '1', [2], new Set([undefined])]),
  'boxed primitives': [Object(1), Object(-0), Object('text'), Object(LONE_HIGH), Object(false)],
  'a boxed bigint': Object(7n) as object,
  'a buffer': new Uint8Array([1, 2, 3]).buffer,
  'typed arrays': [
    new Int8Array([-1, 1]),
    new Uint8Array([1, 255]),
    new Uint8ClampedArray([0, 255]),
    new Int16Array([-1, 1]),
    new Uint16Array([1, 65_535]),
    new Int32Array([-1, 1]),
    new Uint32Array([1, 2 ** 32 - 1]),
    new Float32Array([0.5, -0]),
    new Float64Array([Math.PI, Number.NaN]),
    new BigInt64Array([-1n, 1n]),
    new BigUint64Array([2n ** 64n - 1n]),
  ],
  'an empty view': new Float64Array(),
};

describe('a value arrives as structuredClone would copy it:', () => {
  it.each(Object.keys(VALUES))('%s', (name) => {
    const value = VALUES[name];
    const arrived = roundTrip(value);
    assertTwin(arrived, structuredClone(value));
  });

  it.each(Object.keys(VALUES))('%s, inside a map', (name) => {
    const value = new Map([['inside', VALUES[name]]]);
    assertTwin(roundTrip(value), structuredClone(value));
  });
});

describe('views arrive with their bytes alone:', () => {
  const large = new Uint8Array(1_000).map((_, i) => i).buffer;

  it('a part of a larger buffer', () => {
    const [bytes, words, view] = roundTrip([
      new Uint8Array(large, 10, 4),
      new Uint16Array(large, 20, 2),
      new DataView(large, 30, 3),
    ] as const);
    expect(bytes).toEqual(new Uint8Array([10, 11, 12, 13]));
    expect(words).toEqual(new Uint16Array(large.slice(20, 24)));
    expect(view).toBeInstanceOf(DataView);
    expect(new Uint8Array(view.buffer)).toEqual(new Uint8Array([30, 31, 32]));
    for (const { buffer, byteLength } of [bytes, words, view]) {
      expect(buffer.byteLength).toBe(byteLength);
    }
  });

  it('a Buffer, as a plain Uint8Array', () => {
    const arrived = roundTrip(Buffer.from('pooled'));
    expect(Object.getPrototypeOf(arrived)).toBe(Uint8Array.prototype);
    expect(Buffer.from(arrived).toString()).toBe('pooled');
  });
});

describe('identity', () => {
  it('is kept: cycles, and what is met twice', () => {
    const shared = { a: 1 };
    const value: Record<string, unknown> = { shared, list: [shared, shared], when: new Date(1) };
    value['self'] = value;
    value['map'] = new Map<unknown, unknown>([
      [value, shared],
      [shared, value],
    ]);
    value['set'] = new Set([value, shared]);
    value['again'] = value['when'];
    assertTwin(roundTrip(value), structuredClone(value));
  });

  it('is kept for errors, buffers and boxes', () => {
    const things = [new Error('once'), new Uint8Array(3), /x/, Object('boxed') as object];
    const arrived = roundTrip([...things, ...things]);
    expect(arrived.slice(4).every((item, i) => item === arrived[i])).toBe(true);
  });

  it('costs no time: a lattice whose paths are exponentially many is small', () => {
    let lattice: unknown = 'end';
    for (let i = 0; i < 150; i++) lattice = [lattice, lattice];
    const payload = encode(lattice, LIMITS);
    expect(payload.frame.byteLength).toBeLessThan(10_000);
    let arrived = decode(bodyOf(payload), LIMITS);
    for (let i = 0; i < 150; i++) {
      const [left, right] = arrived as [unknown, unknown];
      expect(left).toBe(right);
      arrived = left;
    }
    expect(arrived).toBe('end');
  });
});

describe('a payload', () => {
  it('stays as it is, however many are encoded after it', () => {
    const payloads = Array.from({ length: 3_000 }, (_, i) =>
      encode({ i, pad: 'x'.repeat(i) }, LIMITS),
    );
    const arrived = payloads.map((payload) => decode(bodyOf(payload), LIMITS));
    expect(arrived).toEqual(arrived.map((_, i) => ({ i, pad: 'x'.repeat(i) })));
  });

  it('is not disturbed by a getter that encodes something itself', () => {
    const value = {
      before: 'b'.repeat(100),
      get nested() {
        return encode({ inner: 'i'.repeat(100_000), map: new Map() }, LIMITS).frame.byteLength;
      },
      after: ['a'.repeat(100)],
    };
    expect(roundTrip(value)).toEqual({ ...value });
  });

  it('that is kept is copied once, out of a buffer much larger than itself', () => {
    const kept = keepable(encode({ a: 1 }, LIMITS));
    expect(kept.frame.buffer.byteLength).toBe(kept.frame.byteLength);
    expect(decode(bodyOf(kept), LIMITS)).toEqual({ a: 1 });
    expect(keepable(kept)).toBe(kept);
  });

  it('does not keep what it decodes: bytes that change later change no value', () => {
    const body = bodyOf(encode(new Uint8Array([1, 2, 3]), LIMITS));
    const arrived = decode(body, LIMITS);
    body.bytes.fill(0);
    expect(arrived).toEqual(new Uint8Array([1, 2, 3]));
  });
});
