import { describe, expect, it, vi } from 'vitest';

import { FLAG, KIND } from '../../src/protocol/frame.ts';
import { Link } from '../../src/transport/link.ts';
import { loopback } from '../../src/transport/loopback.ts';
import { batchOf, frameBytes, headerOf, payloadOf } from '../support/frames.ts';
import { Asker, CALL, linkFor } from '../support/link.ts';
import { turns } from '../support/turns.ts';

describe('a call', () => {
  it('is sent with its header and value, under a slot and a number of its own', () => {
    const { transport, link, ask } = linkFor({ generation: 9 });
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
    const { transport, link, ask } = linkFor();
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
      const { transport, link, ask } = linkFor();
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
    const { transport, ask } = linkFor();
    const [first, second] = [ask(), ask()];
    transport.arrive(frameBytes({ kind: KIND.result, ...first.to }, 1));
    expect(ask().to).toEqual({ slot: first.to.slot, number: 3 });
    transport.arrive(frameBytes({ kind: KIND.result, ...second.to }, 1));
    expect(ask().to).toEqual({ slot: second.to.slot, number: 4 });
  });

  it('fills the room there is, and frees it', () => {
    const { transport, link, ask } = linkFor({ slots: 2 });
    const { to } = ask();
    expect(link.hasRoom).toBe(true);
    ask();
    expect(link.hasRoom).toBe(false);
    transport.arrive(frameBytes({ kind: KIND.skipped, ...to }));
    expect(link.hasRoom).toBe(true);
  });

  it('is found by its number while it is open', () => {
    const { transport, link, ask } = linkFor();
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
    const { transport, link, ask } = linkFor({ generation: 2 });
    const { asker, to } = ask();
    transport.arrive(frameBytes({ kind: KIND.result, generation: 1, ...to }, 'late'));
    expect([asker.heard, link.lateReplies, link.openCalls]).toEqual([[], 1, 1]);
  });

  it('one to a call that is over, also when its slot has another', () => {
    const { transport, link, ask } = linkFor();
    const over = ask();
    transport.arrive(frameBytes({ kind: KIND.result, ...over.to }, 'in time'));
    const { asker } = ask();
    transport.arrive(frameBytes({ kind: KIND.result, ...over.to }, 'again'));
    expect(asker.heard).toEqual([]);
    expect(over.asker.values).toEqual(['in time']);
    expect([link.lateReplies, link.openCalls]).toEqual([1, 1]);
  });

  it('one to a slot that never was', () => {
    const { transport, link } = linkFor();
    transport.arrive(frameBytes({ kind: KIND.chunk, slot: 65_535, number: 0 }, 1));
    expect(link.lateReplies).toBe(1);
  });
});

describe('closing', () => {
  it('hands back every exchange that is open, oldest first', () => {
    const { transport, link, ask } = linkFor();
    const calls = [ask(), ask(), ask()];
    const [first, second, third] = calls.map(({ asker, to }) => ({ exchange: asker, address: to }));
    transport.arrive(frameBytes({ kind: KIND.result, ...first?.address }, 1));
    const { asker, to } = ask();
    expect(link.close()).toEqual([second, third, { exchange: asker, address: to }]);
    expect([link.openCalls, transport.closed]).toEqual([0, true]);
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
    const { transport, link, ask, frames } = linkFor();
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
    const { transport, link } = linkFor();
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
