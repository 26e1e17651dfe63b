import { describe, expect, it, vi } from 'vitest';

import { HEADER_BYTES, KIND } from '../../src/protocol/frame.ts';
import { BATCH_BYTES, BATCH_FRAMES_MAX } from '../../src/protocol/limits.ts';
import { Outbox } from '../../src/transport/outbox.ts';
import { FakeTransport, headerOf, payloadOf } from '../support/frames.ts';

/** Before a string of at most 65,535 bytes. */
const STRING_HEADER_BYTES = 3;

function setUp() {
  const transport = new FakeTransport();
  const onPending = vi.fn();
  return { transport, onPending, outbox: new Outbox(transport, onPending) };
}

/** What left, one line a batch: the numbers of its frames. */
function numbers({ sent }: FakeTransport): (number | undefined)[][] {
  return sent.map(({ frames }) => frames.map((frame) => frame?.number));
}

describe('frames on their way out', () => {
  it('leave as one batch, in order, when they are flushed', () => {
    const { transport, outbox } = setUp();
    for (let number = 1; number <= 3; number++) {
      outbox.write(headerOf({ number }), payloadOf({ number }));
    }
    expect(transport.sent).toEqual([]);
    outbox.flush();
    expect(numbers(transport)).toEqual([[1, 2, 3]]);
    expect(transport.sent[0]?.frames.map((frame) => frame?.value)).toEqual([
      { number: 1 },
      { number: 2 },
      { number: 3 },
    ]);
  });

  it('are announced once for each batch, with its first frame', () => {
    const { onPending, outbox } = setUp();
    for (let turn = 1; turn <= 2; turn++) {
      outbox.write(headerOf());
      outbox.write(headerOf());
      expect(onPending).toHaveBeenCalledTimes(turn);
      outbox.flush();
    }
  });

  it('are known to wait, until they have left', () => {
    const { transport, outbox } = setUp();
    expect(outbox.isEmpty).toBe(true);
    outbox.write(headerOf());
    expect(outbox.isEmpty).toBe(false);
    outbox.flush();
    outbox.flush();
    expect(outbox.isEmpty).toBe(true);
    expect(numbers(transport)).toEqual([[1]]);
  });

  it('may have no body, beside others that have one', () => {
    const { transport, outbox } = setUp();
    outbox.write(headerOf({ kind: KIND.credit, detail: 9 }));
    outbox.write(headerOf({ kind: KIND.log }), payloadOf('line'));
    outbox.flush();
    const [batch] = transport.sent;
    expect(batch?.frames.map((frame) => [frame?.kind, frame?.detail, frame?.value])).toEqual([
      [KIND.credit, 9, undefined],
      [KIND.log, 0, 'line'],
    ]);
  });
});

describe('a batch that is full', () => {
  it('leaves before the frame that would not fit', () => {
    const { transport, outbox } = setUp();
    const half = payloadOf('x'.repeat(BATCH_BYTES / 2));
    for (let number = 1; number <= 3; number++) outbox.write(headerOf({ number }), half);
    expect(numbers(transport)).toEqual([[1], [2]]);
    outbox.flush();
    expect(numbers(transport)).toEqual([[1], [2], [3]]);
  });

  it('may be filled to its last byte', () => {
    const { transport, outbox } = setUp();
    const rest = payloadOf('x'.repeat(BATCH_BYTES - 2 * HEADER_BYTES - STRING_HEADER_BYTES));
    outbox.write(headerOf({ number: 1 }));
    outbox.write(headerOf({ number: 2 }), rest);
    expect(transport.sent).toEqual([]);
    outbox.write(headerOf({ number: 3 }));
    expect(numbers(transport)).toEqual([[1, 2]]);
    expect(transport.sent[0]?.bytes).toBe(BATCH_BYTES);
  });

  it('leaves with its last frame where there are that many', () => {
    const { transport, outbox } = setUp();
    for (let number = 1; number < BATCH_FRAMES_MAX; number++) outbox.write(headerOf({ number }));
    expect(transport.sent).toEqual([]);
    outbox.write(headerOf({ number: BATCH_FRAMES_MAX }));
    expect(numbers(transport)).toEqual([Array.from({ length: BATCH_FRAMES_MAX }, (_, i) => i + 1)]);
    expect(outbox.isEmpty).toBe(true);
  });
});

describe('a frame that fills a batch by itself', () => {
  it('travels alone, in its place in the order', () => {
    const { transport, outbox } = setUp();
    const large = 'x'.repeat(BATCH_BYTES);
    outbox.write(headerOf({ number: 1 }), payloadOf('small'));
    outbox.write(headerOf({ number: 2 }), payloadOf(large));
    outbox.write(headerOf({ number: 3 }), payloadOf('small'));
    outbox.flush();
    expect(numbers(transport)).toEqual([[1], [2], [3]]);
    expect(transport.sent[1]?.frames[0]?.value).toBe(large);
  });

  it('leaves the payload as it was, to be sent again', () => {
    const { transport, outbox } = setUp();
    const payload = payloadOf('x'.repeat(BATCH_BYTES));
    outbox.write(headerOf({ number: 1, generation: 1 }), payload);
    outbox.write(headerOf({ number: 2, generation: 2 }), payload);
    expect(transport.sent.map(({ frames }) => frames[0]?.generation)).toEqual([1, 2]);
  });
});

describe('a frame with attachments', () => {
  it('travels alone, in its place in the order, with them', () => {
    const { transport, outbox } = setUp();
    const memory = new ArrayBuffer(4);
    outbox.write(headerOf({ number: 1 }), payloadOf('before'));
    const payload = payloadOf({ memory }, [memory]);
    outbox.write(headerOf({ number: 2, flags: payload.flags }), payload);
    outbox.write(headerOf({ number: 3 }), payloadOf('after'));
    outbox.flush();
    expect(numbers(transport)).toEqual([[1], [2], [3]]);
    expect(transport.sent.map(({ attachments }) => attachments)).toEqual([[], [memory], []]);
    expect(transport.sent[1]?.frames[0]?.value).toEqual({ memory });
  });
});
