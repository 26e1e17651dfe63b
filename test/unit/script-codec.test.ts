import { describe, expect, it } from 'vitest';

import { valueCodec, type CodecSide } from '../../src/hosts/script/guest/codec.ts';
import { lowering } from '../../src/hosts/script/guest/lowering.ts';
import { raising } from '../../src/hosts/script/guest/raising.ts';
import { SPARSE_LENGTH_MAX, UNSENDABLE, VIEWS } from '../../src/protocol/rich-table.ts';
import { fromWireError, isWireError, toWireError } from '../../src/protocol/wire-error.ts';
import { fc } from '../support/properties.ts';

function codec(limits: { depthMax?: number; charsMax?: number } = {}) {
  let bytes = new Uint8Array();
  const side: CodecSide = {
    lowerError: (error) => toWireError(error),
    raiseError: (wire) => (isWireError(wire) ? fromWireError(wire) : new Error('unreadable')),
    refuse(code, message) {
      throw new Error(`${code}: ${message}`);
    },
    give: (given) => {
      bytes = new Uint8Array(given);
    },
    take: () => bytes,
    depthMax: 50,
    charsMax: 1e7,
    sparseLengthMax: SPARSE_LENGTH_MAX,
    unsendable: UNSENDABLE,
    views: VIEWS,
    ...limits,
  };
  return valueCodec(side, { lowering, raising });
}

function caught(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("a script's codec", () => {
  it('brings back what it took, whatever it was', () => {
    const { encode, decode } = codec();
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        expect(decode(encode(value))).toEqual(value);
      }),
    );
  });

  it('is plain JSON wherever that is enough', () => {
    const { encode } = codec();
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = encode(value);
        // a space begins what is not: a number that JSON has not, say
        expect(text.startsWith(' ') || text === JSON.stringify(value)).toBe(true);
      }),
    );
  });

  it('throws, and does nothing else, for a text that is not of its making', () => {
    const { decode } = codec();
    const node = fc.array(
      fc.oneof(fc.jsonValue(), fc.constantFrom('O', 'A', 'H', 'M', 'V', 'E', 'X')),
    );
    fc.assert(
      fc.property(fc.record({ nodes: fc.array(node), root: fc.jsonValue() }), (table) => {
        const thrown = caught(() => decode(` ${JSON.stringify(table)}`));
        expect(thrown === undefined || thrown instanceof Error).toBe(true);
        expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      }),
    );
  });

  it.each([
    ['functions', () => 1, 'PAYLOAD_INVALID: a function'],
    ['symbols', Symbol('x'), 'PAYLOAD_INVALID: a symbol'],
    ['promises', Promise.resolve(), 'PAYLOAD_INVALID: a Promise'],
    ['generators', (function* () {})(), 'PAYLOAD_INVALID: a Generator'],
    ['weak ones', new WeakMap(), 'PAYLOAD_INVALID: a WeakMap'],
    ['shared memory', new SharedArrayBuffer(1), 'PAYLOAD_INVALID: a SharedArrayBuffer'],
    ['the deep', [[[[]]]], 'PAYLOAD_TOO_LARGE: nested deeper than 3'],
    ['the long', 'x'.repeat(101), 'PAYLOAD_TOO_LARGE: 103 characters'],
    ['many bytes', new Uint8Array(101), 'PAYLOAD_TOO_LARGE: 101 bytes'],
  ])('refuses %s', (_, value, message) => {
    expect(() => codec({ depthMax: 3, charsMax: 100 }).encode(value)).toThrow(message);
  });
});
