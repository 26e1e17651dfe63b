import { describe, expect, it } from 'vitest';

import { ringMemory, RingReader, RingWriter } from '../../src/transport/ring.ts';
import { fc } from '../support/properties.ts';

function setUp(capacity = 256) {
  const memory = ringMemory(capacity);
  return { memory, writer: new RingWriter(memory), reader: new RingReader(memory) };
}

const bytesOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (seed * 31 + at) & 0xff);

describe('a ring', () => {
  it('gives records in the order they were written, with their numbers', () => {
    const { writer, reader } = setUp();
    expect([reader.isEmpty, reader.peek()]).toEqual([true, undefined]);
    expect(() => reader.take()).toThrow(RangeError);
    for (const number of [7, 8, 4_294_967_295]) {
      expect(writer.write(bytesOf(5, number), number)).toBe(true);
    }
    expect(reader.peek()).toBe(7);
    const taken = [7, 8, 4_294_967_295].map(() => ({
      number: reader.peek(),
      batch: reader.take(),
    }));
    expect(taken.map(({ number }) => number)).toEqual([7, 8, 4_294_967_295]);
    expect(taken.map(({ batch }) => Array.from(batch))).toEqual(
      [7, 8, 4_294_967_295].map((number) => Array.from(bytesOf(5, number))),
    );
    expect(reader.isEmpty).toBe(true);
  });

  it('refuses what does not fit, and takes it once there is room', () => {
    const { writer, reader } = setUp(64);
    expect(writer.write(bytesOf(57, 1), 1)).toBe(false);
    expect(writer.write(bytesOf(40, 1), 1)).toBe(true);
    expect(writer.write(bytesOf(9, 2), 2)).toBe(false);
    expect(writer.write(bytesOf(8, 2), 2)).toBe(true);
    expect(writer.write(bytesOf(0, 3), 3)).toBe(false);
    reader.take();
    expect(writer.write(bytesOf(0, 3), 3)).toBe(true);
    expect([reader.peek(), reader.take().byteLength]).toEqual([2, 8]);
    expect([reader.peek(), reader.take().byteLength]).toEqual([3, 0]);
  });

  it.each([0x7fff_fff0, 0x8000_0000, 0xffff_fff0])(
    'takes no record of %d bytes, which nobody can have written',
    (length) => {
      const { memory, writer, reader } = setUp();
      writer.write(bytesOf(8, 1), 1);
      // behind the words that both ends share
      new DataView(memory).setUint32(memory.byteLength - 256, length, true);
      expect(() => reader.take()).toThrow('a broken ring');
      expect(reader.isEmpty).toBe(false);
    },
  );

  it('is as a queue of bounded size, whatever is written and read', () => {
    const step = fc.oneof(
      fc.record({ write: fc.integer({ min: 0, max: 120 }) }),
      fc.constant({ read: true } as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const { writer, reader } = setUp(128);
        const model: { number: number; batch: number[] }[] = [];
        let last = 0;
        for (const each of steps) {
          const read: unknown[] = [];
          const wanted: unknown[] = [];
          let isRefusedForNothing = false;
          if ('write' in each) {
            last++;
            const batch = bytesOf(each.write, last);
            if (writer.write(batch, last)) model.push({ number: last, batch: [...batch] });
            // an empty ring has room for what fits behind its cursor or before it
            else isRefusedForNothing = model.length === 0 && each.write <= 128 / 2 - 8;
          } else {
            wanted.push(model.shift());
            const number = reader.peek();
            read.push(number === undefined ? undefined : { number, batch: [...reader.take()] });
          }
          expect({ read, isRefusedForNothing }).toEqual({
            read: wanted,
            isRefusedForNothing: false,
          });
          expect(reader.isEmpty).toBe(model.length === 0);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('goes on over the wrap of its cursors', () => {
    const { memory } = setUp(64);
    const words = new Int32Array(memory);
    words[0] = words[16] = 2 ** 31 - 24;
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    for (let number = 0; number < 20; number++) {
      expect(writer.write(bytesOf(10, number), number)).toBe(true);
      expect([...reader.take()]).toEqual([...bytesOf(10, number)]);
    }
  });

  it('says that its reader is to be woken once for each sleep, and never loses one', () => {
    const { writer, reader } = setUp();
    writer.write(bytesOf(1, 1), 1);
    expect(writer.mustWake()).toBe(false);
    expect(reader.sleep()).toBe(false);
    reader.take();
    expect(reader.sleep()).toBe(true);
    writer.write(bytesOf(1, 2), 2);
    expect([writer.mustWake(), writer.mustWake()]).toEqual([true, false]);
  });

  it('with bytes in it that no writer wrote is found broken', () => {
    const { memory, writer, reader } = setUp(64);
    writer.write(bytesOf(4, 1), 1);
    new DataView(memory).setUint32(192, 10_000, true);
    expect(() => reader.take()).toThrow(RangeError);
  });
});
