import { describe, expect, it } from 'vitest';

import { Inbox } from '../../src/actor/inbox.ts';
import { FrameReader, KIND } from '../../src/protocol/frame.ts';
import { batchOf, frameBytes } from '../support/frames.ts';

function inboxWith(...numbers: number[]): Inbox {
  const frames = numbers.map((number) =>
    frameBytes({ kind: KIND.call, slot: number, number }, number),
  );
  const reader = new FrameReader(batchOf(...frames));
  const inbox = new Inbox();
  while (reader.next()) inbox.push(reader);
  return inbox;
}

function numbersIn(inbox: Inbox): number[] {
  const numbers: number[] = [];
  for (let call = inbox.take(); call; call = inbox.take()) numbers.push(call.number);
  return numbers;
}

describe('calls that wait at their actor', () => {
  it('are taken in the order they came', () => {
    const inbox = inboxWith(1, 2, 3);
    expect(inbox.isEmpty).toBe(false);
    expect(numbersIn(inbox)).toEqual([1, 2, 3]);
    expect(inbox.isEmpty).toBe(true);
  });

  it('are removed by their number, unless they were taken', () => {
    const inbox = inboxWith(1, 2, 3, 4);
    inbox.take();
    expect(inbox.remove(1)).toBeUndefined();
    expect(inbox.remove(3)).toMatchObject({ slot: 3, number: 3 });
    expect(inbox.remove(3)).toBeUndefined();
    expect(numbersIn(inbox)).toEqual([2, 4]);
  });

  it('are none after the last was removed, and then others may come', () => {
    const inbox = inboxWith(1, 2);
    inbox.take();
    inbox.remove(2);
    expect([inbox.isEmpty, inbox.take()]).toEqual([true, undefined]);
    const reader = new FrameReader(frameBytes({ kind: KIND.call, number: 7 }, 'later'));
    reader.next();
    inbox.push(reader);
    expect(numbersIn(inbox)).toEqual([7]);
  });
});
