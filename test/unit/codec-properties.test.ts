import { describe, expect, it } from 'vitest';

import { bodyOf, decode, encode, forwardable } from '../../src/protocol/codec.ts';
import { LIMITS, roundTrip } from '../support/codec.ts';
import { fc } from '../support/properties.ts';
import { assertTwin } from '../support/twin.ts';

/** Half a character at a time: surrogates that stand alone. */
const codeUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ unit: codeUnit }));

/** Everything structured clone carries, nested at random. */
const value = fc.anything({
  maxDepth: 4,
  key: fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', 'toJSON')),
  values: [
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    text,
    fc.constantFrom(null, undefined, Number.NaN, -0),
    fc.constantFrom(/a/g, /[^]\/\n/u),
  ],
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

/** Objects that refer to each other at random: cycles, shared parts, islands. */
const graph = fc
  .array(fc.record({ kind: fc.nat(3), edges: fc.array(fc.nat(), { maxLength: 4 }) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((nodes) => {
    const shells = nodes.map(({ kind }) => SHELLS[kind]?.() ?? []);
    nodes.forEach(({ edges }, i) => {
      for (const edge of edges) link(shells[i], shells[edge % shells.length]);
    });
    return shells[0];
  });

const SHELLS = [() => [], () => ({}), () => new Map(), () => new Set()] as const;

function link(from: unknown, to: unknown): void {
  if (Array.isArray(from)) from.push(to);
  else if (from instanceof Set) from.add(to);
  else if (from instanceof Map) from.set(from.size % 2 === 0 ? to : from.size, to);
  else if (typeof from === 'object' && from !== null) {
    Object.assign(from, { [`k${String(Object.keys(from).length)}`]: to });
  }
}

describe('any value that structuredClone carries', () => {
  it('arrives as structuredClone would copy it', () => {
    fc.assert(
      fc.property(value, (sent) => {
        const arrived = roundTrip(sent);
        assertTwin(arrived, structuredClone(sent));
      }),
      { numRuns: 3_000 },
    );
  });

  it('arrives with its shape where it is a graph', () => {
    fc.assert(
      fc.property(graph, (sent) => {
        assertTwin(roundTrip(sent), structuredClone(sent));
      }),
      { numRuns: 2_000 },
    );
  });

  it('arrives the same after it was passed on without being decoded', () => {
    fc.assert(
      fc.property(value, fc.nat(100), (sent, room) => {
        const { frame, flags, attachments } = encode(sent, LIMITS);
        // in a batch: other bytes before and after it
        const batch = new Uint8Array(room + frame.byteLength + room).fill(0xc1);
        batch.set(frame, room);
        const own = bodyOf({ frame, flags, attachments });
        const body = { ...own, bytes: batch, start: room + own.start, end: room + own.end };
        const passedOn = forwardable(body);
        assertTwin(decode(bodyOf(passedOn), LIMITS), structuredClone(sent));
      }),
      { numRuns: 500 },
    );
  });

  it('is encoded the same each time, and left as it was', () => {
    fc.assert(
      fc.property(value, (sent) => {
        const before = structuredClone(sent);
        const [once, again] = [encode(sent, LIMITS), encode(sent, LIMITS)];
        const { start } = bodyOf(once);
        expect(Buffer.compare(once.frame.subarray(start), again.frame.subarray(start))).toBe(0);
        assertTwin(structuredClone(sent), before);
      }),
      { numRuns: 500 },
    );
  });
});
