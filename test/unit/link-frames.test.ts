import { describe, expect, it, vi } from 'vitest';

import { FLAG, KIND, type Kind } from '../../src/protocol/frame.ts';
import { BATCH_BYTES } from '../../src/protocol/limits.ts';
import { Link } from '../../src/transport/link.ts';
import { loopback } from '../../src/transport/loopback.ts';
import {
  batchOf,
  frameBytes,
  frameOf,
  headerOf,
  payloadOf,
  type ReadFrame,
} from '../support/frames.ts';
import { Asker, CALL, linkFor } from '../support/link.ts';
import { turns } from '../support/turns.ts';

describe('what answers no call', () => {
  it('goes to the owner of the link, with its number, route and detail', () => {
    const { transport, frames } = linkFor();
    const others = [
      KIND.call,
      KIND.cancel,
      KIND.credit,
      KIND.bind,
      KIND.log,
      KIND.crash,
      KIND.exit,
    ];
    for (const kind of others) {
      transport.arrive(frameBytes({ kind, slot: 5, number: -9, route: 4, detail: 6 }, 'v'));
    }
    const common = { slot: 5, number: -9, route: 4, detail: 6 };
    const read = (kind: Kind): ReadFrame => ({ ...headerOf({ kind, ...common }), value: 'v' });
    expect(frames).toEqual(others.map(read));
  });

  it('of an earlier life is dropped and counted, too', () => {
    const { transport, frames, link } = linkFor();
    transport.arrive(frameBytes({ kind: KIND.log, generation: 7 }, 'line'));
    expect([frames, link.lateReplies]).toEqual([[], 1]);
  });

  it('is written by reply, signal and tell', () => {
    const { transport, link } = linkFor();
    link.reply(KIND.failure, { slot: 2, number: 8 }, payloadOf(new Map()), FLAG.runtime);
    link.signal(KIND.cancel, { slot: 3, number: 9 }, 2);
    link.tell(KIND.bind, 0, payloadOf('plugin'), 17);
    expect(link.hasPending).toBe(true);
    link.flush();
    expect(link.hasPending).toBe(false);
    const common = { generation: 1, route: 0, detail: 0, parent: 0, flags: 0 };
    expect(transport.sent[0]?.frames).toEqual([
      {
        ...common,
        kind: KIND.failure,
        slot: 2,
        number: 8,
        flags: FLAG.rich | FLAG.runtime,
        value: new Map(),
      },
      { ...common, kind: KIND.cancel, slot: 3, number: 9, detail: 2, value: undefined },
      { ...common, kind: KIND.bind, slot: 0, number: 0, route: 17, value: 'plugin' },
    ]);
  });
});

describe('a malformed message costs itself alone:', () => {
  it('bytes that are no frame', () => {
    const { transport, malformed, ask } = linkFor();
    const { asker, to } = ask();
    transport.arrive(new Uint8Array([1, 2, 3]));
    const cut = frameBytes({ kind: KIND.result, ...to }, 'text').subarray(0, -1);
    transport.arrive(batchOf(frameBytes({ kind: KIND.chunk, ...to }, 'before'), cut));
    transport.arrive(frameBytes({ kind: KIND.result, ...to }, 'after'));
    expect(asker.values).toEqual(['before', 'after']);
    expect(malformed).toEqual(['bytes that are no frame', 'bytes that are no frame']);
  });

  it('a frame whose handling throws', () => {
    const seen: unknown[] = [];
    const { transport, malformed } = linkFor({
      onFrame: (frame) => {
        seen.push(frameOf(frame).value);
        if (seen.length === 1) throw new Error('cannot handle it');
      },
    });
    transport.arrive(batchOf(frameBytes({ kind: KIND.log }, 1), frameBytes({ kind: KIND.log }, 2)));
    expect(seen).toEqual([1, 2]);
    expect(malformed).toEqual(['cannot handle it']);
  });

  it('a frame whose handling throws what cannot be read', () => {
    const seen: unknown[] = [];
    const onFrame = (): never => {
      seen.push(1);
      throw Object.create(null);
    };
    const { transport, malformed } = linkFor({ onFrame });
    transport.arrive(batchOf(frameBytes({ kind: KIND.log }, 1), frameBytes({ kind: KIND.log }, 2)));
    expect([seen.length, malformed.length]).toEqual([2, 2]);
  });
});

describe('frames of every size and kind keep their order', () => {
  it('from one link to another', async () => {
    const [left, right] = loopback();
    const arrived: unknown[] = [];
    const onMalformed = vi.fn();
    const common = { generation: 1, slots: 16, onMalformed, onPending: () => undefined };
    const sender = new Link({ ...common, transport: left, onFrame: () => undefined });
    const receiver = new Link({
      ...common,
      transport: right,
      onFrame: (frame) => arrived.push(frameOf(frame).value),
    });
    const values = ['small', 'x'.repeat(BATCH_BYTES + 1), { memory: new ArrayBuffer(8) }, 'last'];
    for (const value of values) {
      const transfer = typeof value === 'object' ? [value.memory] : [];
      sender.call(new Asker(), CALL, payloadOf(value, transfer));
    }
    sender.flush();
    await turns();
    expect(arrived).toEqual(values);
    expect([onMalformed.mock.calls, receiver.lateReplies]).toEqual([[], 0]);
  });
});
