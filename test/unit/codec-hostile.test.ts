import { describe, expect, it } from 'vitest';

import { CodecError } from '../../src/protocol/codec-error.ts';
import { bodyOf, decode, encode } from '../../src/protocol/codec.ts';
import { FLAG } from '../../src/protocol/frame.ts';
import {
  bodyFrom,
  decodeOrRefuse,
  LIMITS,
  refusalOf,
  roundTrip,
  tableOf,
} from '../support/codec.ts';
import { fc } from '../support/properties.ts';

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

describe('bytes that no encoder of ours wrote are refused:', () => {
  const malformed: [string, Uint8Array][] = [
    ['none at all', bytes()],
    ['a token that is never used', bytes(0xc1)],
    ['a float of 32 bits', bytes(0xca, 0, 0, 0, 0)],
    ['bytes after the value', bytes(0xc0, 0xc0)],
    ['a string cut short', bytes(0xa5, 0x61)],
    ['a string of 4 GiB', bytes(0xdb, 0xff, 0xff, 0xff, 0xff)],
    ['a binary of 4 GiB', bytes(0xc6, 0xff, 0xff, 0xff, 0xff)],
    ['an array of four thousand million', bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['a map of four thousand million', bytes(0xdf, 0xff, 0xff, 0xff, 0xff)],
    ['an array with one item missing', bytes(0x92, 0xc0)],
    ['a map with one value missing', bytes(0x81, 0xa1, 0x61)],
    ['a key that is a number', bytes(0x81, 0x01, 0xc0)],
    ['a key that is an array', bytes(0x81, 0x90, 0xc0)],
    ['an extension of the user', bytes(0xd4, 0x42, 0x00)],
    ['an undefined of another form', bytes(0xd4, 0x00, 0x01)],
    ['a date extension', bytes(0xd6, 0xff, 0, 0, 0, 1)],
    ['an error extension', bytes(0xc7, 0x01, 0x65, 0x90)],
    ['a record definition', bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0xc0)],
    ['bundled strings', bytes(0xd6, 0x62, 0, 0, 0, 4)],
    ['a key __proto__', bytes(0x81, 0xa9, ...Buffer.from('__proto__'), 0x80)],
    ['a long key __proto__', bytes(0x81, 0xd9, 9, ...Buffer.from('__proto__'), 0x80)],
  ];

  it.each(malformed)('%s', (_, body) => {
    for (const flags of [0, FLAG.rich]) {
      expect(refusalOf(() => decode(bodyFrom(body, flags), LIMITS)).code).toBe('PAYLOAD_INVALID');
    }
  });

  it('a hundred thousand nested arrays, without a stack overflow', () => {
    const deep = new Uint8Array(100_000).fill(0x91);
    expect(refusalOf(() => decode(bodyFrom(deep), LIMITS)).code).toBe('PAYLOAD_TOO_LARGE');
  });
});

describe('a table that no encoder of ours wrote is refused:', () => {
  const forged: [string, unknown[], unknown?][] = [
    ['a reference to nothing', [['Array', [7]]]],
    ['a root that refers to nothing', [['Array']], [1]],
    ['a reference that is no number', [['Array', ['length']]]],
    ['a kind of node that is unknown', [['Function', 'return process']]],
    ['a kind that names a property of Object', [['constructor', 1]]],
    ['a node without a kind', [[1, 2]]],
    ['a primitive of an unknown kind', [['Array', ['code', 1]]]],
    ['a bigint that is no number', [['Array', ['bigint', 'one']]]],
    ['a regular expression that is none', [['RegExp', '(', '']]],
    ['flags that are none', [['RegExp', 'a', 'zz']]],
    ['a view of an unknown kind', [['View', 'Function', Buffer.from('x'), 0, 1]]],
    ['a view longer than its bytes', [['View', 'Uint8Array', Buffer.from('x'), 0, 100]]],
    ['a view out of step', [['View', 'Int32Array', Buffer.from('12345678'), 1, 4]]],
    ['a view before its bytes', [['View', 'Uint8Array', Buffer.from('x'), -1, 1]]],
    ['a view of an attachment that is missing', [['View', 'Uint8Array', ['Attached', 0], 0, 1]]],
    ['an attachment that is missing', [['Attached', 0]]],
    ['an error without a name', [['Error', { message: 'm' }]]],
    ['a buffer that is no bytes', [['ArrayBuffer', 'text']]],
    ['a length that is negative', [['Sparse', -1]]],
    ['a length that is endless', [['Sparse', 2 ** 53]]],
    ['an index beyond the length', [['Sparse', 3, 3, 'x']]],
    ['an index before the start', [['Sparse', 3, -1, 'x']]],
    ['an index that is a fraction', [['Sparse', 3, 0.5, 'x']]],
    ['a box of a node that is not there yet', [['Boxed', [0]]]],
  ];

  it.each(forged)('%s', (_, nodes, root) => {
    expect(refusalOf(() => decode(tableOf(nodes, root), LIMITS)).code).toBe('PAYLOAD_INVALID');
  });

  it('a value that is no table', () => {
    for (const value of [null, 1, [], {}, { nodes: 1, root: 1 }, { nodes: [1], root: [0] }]) {
      const { frame } = encode(value, LIMITS);
      const body = bodyOf({ frame, flags: FLAG.rich, attachments: [] });
      expect(refusalOf(() => decode(body, LIMITS)).code).toBe('PAYLOAD_INVALID');
    }
  });
});

describe('prototypes are polluted by nothing:', () => {
  const keys = ['__proto__', 'constructor', 'prototype', 'toString'];

  it.each(keys)('an object with a key %s has it as its own', (key) => {
    const table = tableOf([
      ['Object', key, [1]],
      ['Object', 'polluted', true],
    ]);
    const arrived = decode(table, LIMITS) as object;
    expect(Object.getOwnPropertyDescriptor(arrived, key)?.value).toEqual({ polluted: true });
    expect(Object.getPrototypeOf(arrived)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
  });

  it('an error that claims to be a property of Object', () => {
    for (const name of [...keys, 'hasOwnProperty']) {
      const arrived = decode(tableOf([['Error', { name, message: 'm' }]]), LIMITS) as Error;
      expect(arrived).toBeInstanceOf(Error);
      expect(arrived.name).toBe(name);
    }
  });
});

describe('what a few bytes claim', () => {
  it('does not make room for it: a sparse array is as small as its items', () => {
    const body = tableOf([
      ['Array', [1], [2]],
      ['Sparse', 2 ** 24],
      ['Sparse', 2 ** 24],
    ]);
    const before = process.memoryUsage().heapUsed;
    const arrived = decodeOrRefuse(body);
    const grown = process.memoryUsage().heapUsed - before;
    expect(arrived).toBeTypeOf('object');
    expect(grown, 'bytes of heap').toBeLessThan(32 * 1024 * 1024);
  });
});

describe('random bytes', () => {
  const roots = [0, FLAG.rich];

  it('decode or are refused, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(...roots), (body, flags) => {
        decodeOrRefuse(bodyFrom(body, flags));
      }),
      { numRuns: 20_000 },
    );
  });

  it('in a good body cost that body alone: cut, extended or changed', () => {
    const samples = [
      { a: [1, 'text', 2n, null, undefined, 0.5], b: { c: 'd'.repeat(300) } },
      new Map<unknown, unknown>([
        ['k', new Set([/a/g, new Date(1)])],
        [1n, -0],
      ]),
      [new Uint8Array(40), new Error('e', { cause: new TypeError('c') }), 10n ** 40n],
    ].map((sample) => encode(sample, LIMITS));
    const change = fc.record({ at: fc.nat(), to: fc.nat(255) });
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(change, { maxLength: 3 }),
        fc.option(fc.nat()),
        (payload, changes, cut) => {
          const { start, flags } = bodyOf(payload);
          const body = payload.frame.slice(start);
          for (const { at, to } of changes) body[at % body.length] = to;
          const end = cut === null ? body.length : cut % body.length;
          decodeOrRefuse(bodyFrom(body.subarray(0, end), flags));
        },
      ),
      { numRuns: 15_000 },
    );
    expect(roundTrip({ still: 'well' })).toEqual({ still: 'well' });
  });

  it('cut anywhere, a body is refused', () => {
    const payload = encode(new Map<unknown, unknown>([['k', [1, 'xyz', { a: 2n }]]]), LIMITS);
    const { start, end, flags } = bodyOf(payload);
    for (let stop = start; stop < end; stop++) {
      const cut = bodyFrom(payload.frame.subarray(start, stop), flags);
      expect(decodeOrRefuse(cut)).toBeInstanceOf(CodecError);
    }
  });

  it('and random tables decode or are refused', () => {
    const kinds = 'Object Array Sparse Map Set Date RegExp Error ArrayBuffer Attached View Boxed';
    const slot = fc.oneof(
      fc.tuple(fc.nat(5)),
      fc.tuple(fc.constantFrom('utf16', 'bigint', '-0', 'Attached'), fc.jsonValue({ maxDepth: 1 })),
      fc.constantFrom<unknown>(undefined, 'Uint8Array', -1, 3, Number.NaN, 0.5, '__proto__'),
      fc.uint8Array({ maxLength: 9 }),
      fc.jsonValue({ maxDepth: 2 }).filter((json) => !JSON.stringify(json).includes('__proto__')),
    );
    const node = fc
      .tuple(fc.constantFrom(...kinds.split(' ')), fc.array(slot, { maxLength: 5 }))
      .map(([kind, slots]) => [kind].concat(slots as string[]));
    fc.assert(
      fc.property(fc.array(node, { maxLength: 6 }), slot, (nodes, root) => {
        decodeOrRefuse(tableOf(nodes, root));
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 5_000 },
    );
  });
});
