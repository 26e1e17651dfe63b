import { describe, expect, it } from 'vitest';

import {
  FrameReader,
  HEADER_BYTES,
  isLater,
  KIND,
  writeHeader,
  type Header,
} from '../../src/protocol/frame.ts';
import { batchOf, frameBytes, framesOf, headerOf } from '../support/frames.ts';
import { fc } from '../support/properties.ts';

const u32 = fc.oneof(fc.nat(2 ** 32 - 1), fc.constantFrom(0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1));
const i32 = fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), -1, 0, 2 ** 31 - 1));
const header = fc.record<Header>({
  kind: fc.constantFrom(...Object.values(KIND)),
  flags: fc.nat(255),
  slot: fc.nat(65_535),
  generation: u32,
  number: i32,
  route: u32,
  detail: u32,
  parent: i32,
});

describe('a header', () => {
  it('is read as it was written, to the ends of its fields', () => {
    fc.assert(
      fc.property(header, fc.nat(40), fc.nat(40), (written, before, bodyBytes) => {
        const bytes = new Uint8Array(before + HEADER_BYTES + bodyBytes);
        writeHeader(new DataView(bytes.buffer), before, bodyBytes, written);
        const reader = new FrameReader(bytes.subarray(before));
        expect(reader.next()).toBe(true);
        const { kind, flags, slot, generation, number, route, detail, parent } = reader;
        expect({ kind, flags, slot, generation, number, route, detail, parent }).toEqual(written);
        expect([reader.start, reader.end]).toEqual([HEADER_BYTES, HEADER_BYTES + bodyBytes]);
        expect(reader.next()).toBe(false);
      }),
    );
  });

  it('is laid out as documented', () => {
    const bytes = new Uint8Array(HEADER_BYTES);
    writeHeader(new DataView(bytes.buffer), 0, 0x0a0b0c0d, {
      kind: KIND.chunk,
      flags: 0x81,
      slot: 0x0102,
      generation: 0x03040506,
      number: -2,
      route: 0x0708090a,
      detail: 0xffffffff,
      parent: 1,
    });
    expect(Buffer.from(bytes).toString('hex').match(/.{8}/g)).toEqual([
      '04810201', // kind, flags, slot
      '0d0c0b0a', // body length
      '06050403', // generation
      'feffffff', // number
      '0a090807', // route
      'ffffffff', // detail
      '01000000', // parent
    ]);
  });
});

describe('a batch', () => {
  it('is read frame by frame, in order', () => {
    const batch = batchOf(
      frameBytes({ kind: KIND.result, number: 1 }, { a: 1 }),
      frameBytes({ kind: KIND.end, number: 2 }),
      frameBytes({ kind: KIND.chunk, number: -3, detail: 7 }, new Map([['k', 1n]])),
    );
    expect(framesOf(batch)).toEqual([
      { ...headerOf({ kind: KIND.result, number: 1 }), value: { a: 1 } },
      { ...headerOf({ kind: KIND.end, number: 2 }), value: undefined },
      {
        ...headerOf({ kind: KIND.chunk, number: -3, detail: 7, flags: 1 }),
        value: new Map([['k', 1n]]),
      },
    ]);
  });

  it('without frames is none', () => {
    expect(framesOf(new Uint8Array())).toEqual([]);
  });

  const good = frameBytes({ kind: KIND.end });
  const broken: [string, Uint8Array][] = [
    ['a header cut short', good.subarray(0, HEADER_BYTES - 1)],
    ['a body cut short', frameBytes({ kind: KIND.result }, 'text').subarray(0, -1)],
    ['a kind of 0', batchOf(good).fill(0, 0, 1)],
    ['a kind that is unknown', batchOf(good).fill(17, 0, 1)],
    ['a kind of 255', batchOf(good).fill(255, 0, 1)],
    ['a body of 4 GiB', batchOf(good).fill(255, 4, 8)],
  ];

  it.each(broken)('ends where the rest is no frame: %s', (_, rest) => {
    const frames = framesOf(batchOf(good, rest));
    expect(frames).toEqual([{ ...headerOf({ kind: KIND.end }), value: undefined }, undefined]);
    const reader = new FrameReader(batchOf(rest));
    expect([reader.next(), reader.next()]).toEqual([undefined, undefined]);
  });

  it('of random bytes is walked to its end, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const reader = new FrameReader(bytes);
        let end = 0;
        for (let more = reader.next(); more; more = reader.next()) {
          expect(reader.end).toBeGreaterThan(end);
          expect(reader.end).toBeLessThanOrEqual(bytes.byteLength);
          ({ end } = reader);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('call numbers', () => {
  it('stay in order when they wrap', () => {
    const last = 2 ** 31 - 1;
    const first = -(2 ** 31);
    expect([isLater(2, 1), isLater(1, 1), isLater(1, 2)]).toEqual([true, false, false]);
    expect([isLater(first, last), isLater(last, first)]).toEqual([true, false]);
    expect([isLater(1, -1), isLater(-1, 1)]).toEqual([true, false]);
  });

  it('are compared right within half of their range', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 31 - 1 }), (number, ahead) => {
        const later = (number + ahead) | 0;
        expect([isLater(later, number), isLater(number, later)]).toEqual([true, false]);
      }),
    );
  });
});
