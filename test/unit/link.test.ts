import { describe, expect, it, vi } from 'vitest';

import { FLAG, KIND, type FrameReader } from '../../src/protocol/frame.ts';
import { BATCH_BYTES } from '../../src/protocol/limits.ts';
import { Link, type Exchange, type LinkOptions } from '../../src/transport/link.ts';
import { loopback } from '../../src/transport/loopback.ts';
import {
  batchOf,
  FakeTransport,
  frameBytes,
  frameOf,
  headerOf,
  payloadOf,
  type ReadFrame,
} from '../support/frames.ts';
import { turns } from '../support/turns.ts';

const CALL = { route: 3, flags: FLAG.idempotent, timeoutMs: 250, parent: -7 };

/** The asking side of a call that keeps what it is told. */
class Asker implements Exchange {
  readonly heard: ReadFrame[] = [];

  onReply(frame: FrameReader): void {
    this.heard.push(frameOf(frame));
  }

  get values(): unknown[] {
    return this.heard.map(({ value }) => value);
  }
}

function setUp(options: Partial<LinkOptions> = {}) {
  const transport = new FakeTransport();
  const frames: ReadFrame[] = [];
  const malformed: string[] = [];
  const link = new Link({
    transport,
    generation: 1,
    slots: 4,
    onFrame: (frame) => frames.push(frameOf(frame)),
    onMalformed: (what) => malformed.push(what),
    onPending: () => undefined,
    ...options,
  });
  const ask = (value: unknown = 'question') => {
    const asker = new Asker();
    return { asker, to: link.call(asker, CALL, payloadOf(value)) };
  };
  return { transport, frames, malformed, link, ask };
}

describe('a call', () => {
  it('is sent with its header and value, under a slot and a number of its own', () => {
    const { transport, link, ask } = setUp({ generation: 9 });
    const { to } = ask({ q: 1 });
    link.flush();
    expect(to).toEqual({ slot: 0, number: 1 });
    expect(transport.sent[0]?.frames).toEqual([
      {
        ...headerOf({ kind: KIND.call, generation: 9, flags: FLAG.idempotent, number: 1 }),
        route: 3,
        detail: 250,
        parent: -7,
        value: { q: 1 },
      },
    ]);
  });

  it('hears its own replies, in whatever order they come', () => {
    const { transport, link, ask } = setUp();
    const [first, second] = [ask(), ask()];
    transport.arrive(
      batchOf(
        frameBytes({ kind: KIND.chunk, ...second.to }, 'chunk of the second'),
        frameBytes({ kind: KIND.result, ...first.to }, 'result of the first'),
        frameBytes({ kind: KIND.progress, ...second.to }, 'progress of the second'),
        frameBytes({ kind: KIND.end, ...second.to }),
      ),
    );
    expect(first.asker.values).toEqual(['result of the first']);
    expect(second.asker.heard.map(({ kind }) => kind)).toEqual([
      KIND.chunk,
      KIND.progress,
      KIND.end,
    ]);
    expect(link.openCalls).toBe(0);
  });

  it('stays open through chunks and progress, and ends with any other reply', () => {
    for (const kind of [KIND.result, KIND.failure, KIND.end, KIND.skipped]) {
      const { transport, link, ask } = setUp();
      const { to } = ask();
      transport.arrive(
        batchOf(
          frameBytes({ kind: KIND.chunk, ...to }, 1),
          frameBytes({ kind: KIND.progress, ...to }, 1),
        ),
      );
      expect(link.openCalls).toBe(1);
      transport.arrive(frameBytes({ kind, ...to }, 'last'));
      expect(link.openCalls).toBe(0);
    }
  });

  it('gives its slot to the next, whose number is another', () => {
    const { transport, ask } = setUp();
    const [first, second] = [ask(), ask()];
    transport.arrive(frameBytes({ kind: KIND.result, ...first.to }, 1));
    expect(ask().to).toEqual({ slot: first.to.slot, number: 3 });
    transport.arrive(frameBytes({ kind: KIND.result, ...second.to }, 1));
    expect(ask().to).toEqual({ slot: second.to.slot, number: 4 });
  });

  it('fills the room there is, and frees it', () => {
    const { transport, link, ask } = setUp({ slots: 2 });
    const { to } = ask();
    expect(link.hasRoom).toBe(true);
    ask();
    expect(link.hasRoom).toBe(false);
    transport.arrive(frameBytes({ kind: KIND.skipped, ...to }));
    expect(link.hasRoom).toBe(true);
  });

  it('is found by its number while it is open', () => {
    const { transport, link, ask } = setUp();
    const { asker, to } = ask();
    expect(link.exchangeOf(to.number)).toBe(asker);
    expect([...link.exchanges()]).toEqual([asker]);
    transport.arrive(frameBytes({ kind: KIND.end, ...to }));
    expect(link.exchangeOf(to.number)).toBeUndefined();
    expect([...link.exchanges()]).toEqual([]);
  });
});

describe('a reply that nobody waits for is dropped and counted:', () => {
  it('one of an earlier life', () => {
    const { transport, link, ask } = setUp({ generation: 2 });
    const { asker, to } = ask();
    transport.arrive(frameBytes({ kind: KIND.result, generation: 1, ...to }, 'late'));
    expect([asker.heard, link.lateReplies, link.openCalls]).toEqual([[], 1, 1]);
  });

  it('one to a call that is over, also when its slot has another', () => {
    const { transport, link, ask } = setUp();
    const over = ask();
    transport.arrive(frameBytes({ kind: KIND.result, ...over.to }, 'in time'));
    const { asker } = ask();
    transport.arrive(frameBytes({ kind: KIND.result, ...over.to }, 'again'));
    expect(asker.heard).toEqual([]);
    expect(over.asker.values).toEqual(['in time']);
    expect([link.lateReplies, link.openCalls]).toEqual([1, 1]);
  });

  it('one to a slot that never was', () => {
    const { transport, link } = setUp();
    transport.arrive(frameBytes({ kind: KIND.chunk, slot: 65_535, number: 0 }, 1));
    expect(link.lateReplies).toBe(1);
  });
});

describe('what answers no call', () => {
  it('goes to the owner of the link, with its number, route and detail', () => {
    const { transport, frames } = setUp();
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
    expect(frames).toEqual(
      others.map((kind) => ({
        ...headerOf({ kind, slot: 5, number: -9, route: 4, detail: 6 }),
        value: 'v',
      })),
    );
  });

  it('of an earlier life is dropped and counted, too', () => {
    const { transport, frames, link } = setUp();
    transport.arrive(frameBytes({ kind: KIND.log, generation: 7 }, 'line'));
    expect([frames, link.lateReplies]).toEqual([[], 1]);
  });

  it('is written by reply, signal and tell', () => {
    const { transport, link } = setUp();
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
    const { transport, malformed, ask } = setUp();
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
    const { transport, malformed } = setUp({
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
    const { transport, malformed } = setUp({ onFrame });
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

describe('closing', () => {
  it('hands back every exchange that is open, oldest first', () => {
    const { transport, link, ask } = setUp();
    const calls = [ask(), ask(), ask()];
    const [first, second, third] = calls.map(({ asker, to }) => ({ exchange: asker, address: to }));
    transport.arrive(frameBytes({ kind: KIND.result, ...first?.address }, 1));
    const { asker, to } = ask();
    expect(link.close()).toEqual([second, third, { exchange: asker, address: to }]);
    expect([link.openCalls, link.isClosed, transport.closed]).toEqual([0, true, true]);
  });

  it('delivers first what has arrived', async () => {
    const [left, right] = loopback();
    const common = { generation: 1, slots: 4, onMalformed: vi.fn(), onPending: () => undefined };
    const asking = new Link({ ...common, transport: left, onFrame: () => undefined });
    const answering: Link = new Link({
      ...common,
      transport: right,
      onFrame: (frame) => {
        if (frame.number === 1) answering.reply(KIND.result, frame, payloadOf('in time'));
      },
    });
    const [answered, open] = [new Asker(), new Asker()];
    asking.call(answered, CALL, payloadOf(1));
    asking.call(open, CALL, payloadOf(2));
    asking.flush();
    await turns();
    answering.flush();
    expect(asking.close().map(({ exchange }) => exchange)).toEqual([open]);
    expect(answered.values).toEqual(['in time']);
  });

  it('is done once, and ends what is written and what arrives', () => {
    const { transport, link, ask, frames } = setUp();
    ask();
    link.close();
    expect(link.close()).toEqual([]);
    link.tell(KIND.log, 0, payloadOf('line'));
    link.flush();
    transport.arrive(frameBytes({ kind: KIND.log }, 'late'));
    expect([transport.sent, frames]).toEqual([[], []]);
  });
});

describe('a send that fails', () => {
  it('leaves no call behind that nobody will answer', () => {
    const { transport, link } = setUp();
    const memory = new ArrayBuffer(1);
    transport.failure = new Error('it cannot be moved');
    const asker = new Asker();
    expect(() => link.call(asker, CALL, payloadOf({ memory }, [memory]))).toThrow(
      'cannot be moved',
    );
    expect([link.openCalls, [...link.exchanges()]]).toEqual([0, []]);
    expect(link.close()).toEqual([]);
  });
});
