import { describe, expect, it } from 'vitest';

import { Outbound } from '../../src/actor/outbound.ts';
import { RunningCall } from '../../src/actor/running-call.ts';
import { Standstill } from '../../src/actor/standstill.ts';
import { SharedWords } from '../../src/protocol/board-words.ts';
import { FLAG } from '../../src/protocol/frame.ts';
import { DEFAULT_LIMITS, STREAM_CREDIT_CHUNKS } from '../../src/protocol/limits.ts';
import { boardBytes, SignalBoard } from '../../src/protocol/signal-board.ts';
import { NOTHING_SECRET } from '../../src/protocol/wire-error.ts';
import { linkFor } from '../support/link.ts';

const nothing = () => undefined;

/** Inside a call that is read as a stream, where only the event loop takes in what arrives. */
function withoutDrain() {
  const { link, transport } = linkFor();
  const board = new SignalBoard(new SharedWords(new SharedArrayBuffer(boardBytes(1))));
  const limits = DEFAULT_LIMITS;
  const call = new RunningCall(
    {
      pluginId: 'guest',
      generation: 1,
      limits,
      board,
      link,
      redactor: NOTHING_SECRET,
      park: nothing,
      flushIfDue: nothing,
    },
    { slot: 0, number: 1, flags: FLAG.stream, deadline: undefined },
  );
  const outbound = new Outbound({
    pluginId: 'guest',
    limits,
    link,
    parent: () => 1,
    urge: nothing,
  });
  const current = () => call;
  const standstill = new Standstill({ board, link, limits, outbound, drain: undefined, current });
  return { standstill, transport };
}

describe('where nothing can be taken in without the event loop', () => {
  it('a call or a service is refused, and none is begun', () => {
    const { standstill, transport } = withoutDrain();
    expect(() => standstill.call('other', 1)).toThrow("use isolation 'thread'");
    expect(() => standstill.service({ op: 'state.keys' })).toThrow("use isolation 'thread'");
    expect(transport.sent).toEqual([]);
  });

  it('a stream has its first window of chunks, and then is refused, instead of waiting for ever', () => {
    const { standstill, transport } = withoutDrain();
    for (let n = 0; n < STREAM_CREDIT_CHUNKS; n++) standstill.push(n, 1);
    expect(transport.sent).toHaveLength(STREAM_CREDIT_CHUNKS);
    expect(() => standstill.push('one more', 1)).toThrow("use isolation 'thread'");
  });

  it('a sleep ends by itself', () => {
    const { standstill } = withoutDrain();
    const before = performance.now();
    standstill.sleep(5);
    expect(performance.now() - before).toBeGreaterThanOrEqual(5);
  });
});
