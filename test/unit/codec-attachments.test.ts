import { describe, expect, it } from 'vitest';

import { bodyOf, decode, encode, forwardable, keepable } from '../../src/protocol/codec.ts';
import { FLAG } from '../../src/protocol/frame.ts';
import { LIMITS } from '../support/codec.ts';

describe('a buffer to be moved', () => {
  it('travels beside the bytes, and every view of it refers to it', () => {
    const memory = new ArrayBuffer(64);
    const value = { memory, part: new Uint16Array(memory, 8, 4), all: new DataView(memory) };
    const payload = encode(value, LIMITS, [memory]);
    expect(payload.flags).toBe(FLAG.rich);
    expect(payload.attachments).toEqual([memory]);
    expect(payload.frame.byteLength).toBeLessThan(200);

    const arrived = decode(bodyOf(payload), LIMITS) as typeof value;
    expect(arrived.memory).toBe(memory);
    expect([arrived.part.buffer, arrived.part.byteOffset, arrived.part.length]).toEqual([
      memory,
      8,
      4,
    ]);
    expect(arrived.all.buffer).toBe(memory);
  });

  it('is listed once for each buffer, and is not touched by encoding', () => {
    const [one, two, unused] = [new ArrayBuffer(1), new ArrayBuffer(2), new ArrayBuffer(3)];
    const payload = encode([one, two, new Uint8Array(two)], LIMITS, [one, two, unused]);
    expect(payload.attachments).toEqual([one, two, unused]);
    expect([one.byteLength, two.byteLength, unused.byteLength]).toEqual([1, 2, 3]);
  });

  it('is copied where nobody asked to move it', () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const payload = encode({ bytes, again: bytes.buffer }, LIMITS);
    expect(payload.attachments).toEqual([]);
    const arrived = decode(bodyOf(payload), LIMITS) as { bytes: Uint8Array; again: ArrayBuffer };
    expect(arrived).toEqual({ bytes, again: bytes.buffer });
    expect(arrived.bytes.buffer).not.toBe(bytes.buffer);
  });

  it('stays with the value when the call is passed on or kept', () => {
    const memory = new ArrayBuffer(8);
    const payload = encode({ memory }, LIMITS, [memory]);
    for (const passed of [forwardable(bodyOf(payload)), keepable(payload)]) {
      expect(passed.attachments).toEqual([memory]);
      expect(decode(bodyOf(passed), LIMITS)).toEqual({ memory });
    }
  });
});

describe('shared memory', () => {
  it('is shared, not copied, and so are the views of it', () => {
    const shared = new SharedArrayBuffer(64);
    const value = { shared, words: new Int32Array(shared, 16, 4), again: shared };
    const payload = encode(value, LIMITS);
    expect(payload.attachments).toEqual([shared]);
    const arrived = decode(bodyOf(payload), LIMITS) as typeof value;
    expect(arrived.shared).toBe(shared);
    expect(arrived.again).toBe(shared);
    expect([arrived.words.buffer, arrived.words.byteOffset, arrived.words.length]).toEqual([
      shared,
      16,
      4,
    ]);
  });

  it('and moved buffers keep their places', () => {
    const [moved, shared] = [new ArrayBuffer(4), new SharedArrayBuffer(4)];
    const payload = encode([shared, moved, new Uint8Array(shared)], LIMITS, [moved]);
    expect(payload.attachments).toEqual([moved, shared]);
    const arrived = decode(bodyOf(payload), LIMITS) as [unknown, unknown, Uint8Array];
    expect(arrived[0]).toBe(shared);
    expect(arrived[1]).toBe(moved);
    expect(arrived[2].buffer).toBe(shared);
  });
});

describe('attachments that are something else', () => {
  it('are left behind when a call is passed on', () => {
    const { frame, flags } = encode(1, LIMITS);
    const body = bodyOf({ frame, flags, attachments: [] });
    const memory = new ArrayBuffer(1);
    expect(forwardable({ ...body, attachments: [{}, null, memory] }).attachments).toEqual([memory]);
  });
});

const large = (): Uint8Array<ArrayBuffer> => new Uint8Array(40_000).fill(7);

describe('a large buffer that is not moved', () => {
  it('travels beside the bytes as a copy of what was given, and small ones in the bytes', () => {
    const whole = large();
    const part = new Float64Array(whole.buffer, 8, 4_500);
    const value = { whole, part, memory: whole.buffer, small: new Uint8Array(10) };
    const payload = encode(value, LIMITS, undefined, 'copied');
    expect(payload.flags).toBe(FLAG.rich | FLAG.apart);
    expect(payload.attachments.map((item) => item.byteLength)).toEqual([40_000, 36_000, 40_000]);
    expect(payload.frame.byteLength).toBeLessThan(300);
    const before = structuredClone(value);
    whole.fill(9);
    const arrived = decode(bodyOf(payload), LIMITS) as typeof value;
    expect(arrived).toEqual(before);
    expect([arrived.part.byteOffset, arrived.part.buffer.byteLength]).toEqual([0, 36_000]);
  });

  it('is lent to who sends it at once, where it is all of its memory', () => {
    const [whole, part] = [large(), large().subarray(1)];
    const { attachments } = encode([whole, part], LIMITS, undefined, 'borrowed');
    expect(attachments[0]).toBe(whole.buffer);
    expect(attachments[1]).not.toBe(part.buffer);
    expect(attachments[1]?.byteLength).toBe(39_999);
  });

  it('counts for the size of its value, on both sides', () => {
    const limits = { ...LIMITS, payloadBytesMax: 50_000 };
    const two = [large(), large()];
    expect(() => encode(two, limits, undefined, 'copied')).toThrow('80');
    const payload = encode(two, LIMITS, undefined, 'copied');
    expect(() => decode(bodyOf(payload), limits)).toThrow('payloadBytesMax');
  });

  it('lies in the bytes where other buffers are moved, and where nobody asked', () => {
    const moved = new ArrayBuffer(8);
    expect(encode([large(), moved], LIMITS, [moved], 'copied').attachments).toEqual([moved]);
    const plain = encode(large(), LIMITS);
    expect([plain.flags, plain.attachments]).toEqual([FLAG.rich, []]);
  });

  it('can be forwarded, and stays a copy: it is moved nowhere', () => {
    const payload = encode(large(), LIMITS, undefined, 'copied');
    expect(forwardable(bodyOf(payload)).flags).toBe(FLAG.rich | FLAG.apart);
  });
});
