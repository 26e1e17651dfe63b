import { describe, expect, it, vi } from 'vitest';

import { ChunkQueue } from '../../src/protocol/chunk-queue.ts';
import { CreditWindow } from '../../src/protocol/credit-window.ts';
import { STREAM_CREDIT_BYTES } from '../../src/protocol/limits.ts';
import { fc } from '../support/properties.ts';
import { turns } from '../support/turns.ts';

const BYTES = 10;
const BROKE = new Error('it broke');
const DONE = { value: undefined, done: true };

function setUp(creditChunks = 8, max = creditChunks) {
  const grant = vi.fn<(chunks: number) => void>();
  const cancel = vi.fn<() => void>();
  const queue = new ChunkQueue<number>({
    grant,
    cancel,
    credit: new CreditWindow(creditChunks, max),
  });
  const granted = (): number => grant.mock.calls.reduce((sum, [chunks]) => sum + chunks, 0);
  return { queue, grant, granted, cancel };
}

const chunk = (value: number): IteratorResult<number> => ({ value, done: false });

describe('the reader of a stream', () => {
  it('gets what came before it asked, and what comes after, in order', async () => {
    const { queue } = setUp();
    queue.push(1, BYTES);
    queue.push(2, BYTES);
    expect([await queue.next(), await queue.next()]).toEqual([chunk(1), chunk(2)]);
    const waiting = [queue.next(), queue.next()];
    queue.push(3, BYTES);
    queue.push(4, BYTES);
    queue.end();
    expect(await Promise.all(waiting)).toEqual([chunk(3), chunk(4)]);
    expect(await queue.next()).toEqual(DONE);
    expect(await queue.next()).toEqual(DONE);
  });

  it('reads it all with for await', async () => {
    const { queue, cancel } = setUp();
    const read: number[] = [];
    const reading = (async () => {
      for await (const value of queue) read.push(value);
    })();
    for (let i = 0; i < 100; i++) queue.push(i, BYTES);
    queue.end();
    await reading;
    expect(read).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(cancel).not.toHaveBeenCalled();
  });

  it('gets every chunk before the error, then the error once, then the end', async () => {
    const { queue } = setUp();
    queue.push(1, BYTES);
    queue.fail(BROKE);
    expect(await queue.next()).toEqual(chunk(1));
    await expect(queue.next()).rejects.toBe(BROKE);
    expect(await queue.next()).toEqual(DONE);
  });

  it('that waits is told of the end, or of the error, and all that wait with it', async () => {
    const ended = setUp().queue;
    const waiting = [ended.next(), ended.next()];
    ended.end();
    expect(await Promise.all(waiting)).toEqual([DONE, DONE]);

    const failed = setUp().queue;
    const [first, second] = [failed.next(), failed.next()];
    failed.fail(BROKE);
    await expect(first).rejects.toBe(BROKE);
    expect([await second, await failed.next()]).toEqual([DONE, DONE]);
  });

  it('gets nothing that comes after the end', async () => {
    const { queue } = setUp();
    queue.end();
    queue.push(1, BYTES);
    queue.fail(BROKE);
    expect(await queue.next()).toEqual(DONE);
  });
});

describe('a reader that breaks off', () => {
  it('gets no more, and the producer is told once', async () => {
    const { queue, cancel, granted } = setUp();
    for (let i = 0; i < 5; i++) queue.push(i, BYTES);
    for await (const value of queue) if (value === 1) break;
    queue.push(9, BYTES);
    expect([await queue.next(), await queue.return()]).toEqual([DONE, DONE]);
    expect([cancel.mock.calls.length, granted()]).toEqual([1, 0]);
  });

  it('with a throw does so, too', async () => {
    const { queue, cancel } = setUp();
    queue.push(1, BYTES);
    await expect(queue.throw(BROKE)).rejects.toBe(BROKE);
    expect(await queue.next()).toEqual(DONE);
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  it('after the producer ended tells it nothing', async () => {
    const { queue, cancel } = setUp();
    queue.push(1, BYTES);
    queue.end();
    expect(await queue.return()).toEqual(DONE);
    expect(await queue.next()).toEqual(DONE);
    expect(cancel).not.toHaveBeenCalled();
  });

  it('hears of no error any more', async () => {
    const { queue } = setUp();
    queue.push(1, BYTES);
    queue.fail(BROKE);
    await queue.return();
    expect(await queue.next()).toEqual(DONE);
  });

  it('while others wait ends them, too', async () => {
    const { queue } = setUp();
    const waiting = queue.next();
    await queue.return();
    expect(await waiting).toEqual(DONE);
  });
});

describe('a stream that the reading side gives up', () => {
  it('ends with that error after what came, and the producer is told', async () => {
    const { queue, cancel } = setUp();
    queue.push(1, BYTES);
    queue.abandon(BROKE);
    queue.abandon(BROKE);
    expect(await queue.next()).toEqual(chunk(1));
    await expect(queue.next()).rejects.toBe(BROKE);
    expect(cancel).toHaveBeenCalledTimes(1);
  });
});

describe('credit', () => {
  it('is given for what was taken, half a window at a time', async () => {
    const { queue, grant } = setUp(8);
    for (let i = 0; i < 8; i++) queue.push(i, BYTES);
    expect(grant).not.toHaveBeenCalled();
    for (let i = 0; i < 3; i++) await queue.next();
    expect(grant).not.toHaveBeenCalled();
    await queue.next();
    expect(grant.mock.calls).toEqual([[4]]);
    for (let i = 0; i < 4; i++) await queue.next();
    expect(grant.mock.calls).toEqual([[4], [4]]);
  });

  it('is given as well for chunks that a reader waited for', async () => {
    const { queue, grant } = setUp(2);
    const waiting = queue.next();
    queue.push(1, BYTES);
    await waiting;
    expect(grant.mock.calls).toEqual([[1]]);
  });

  it('is given chunk by chunk where the window is one', async () => {
    const { queue, grant } = setUp(1);
    for (let i = 0; i < 3; i++) {
      queue.push(i, BYTES);
      await queue.next();
    }
    expect(grant.mock.calls).toEqual([[1], [1], [1]]);
  });

  it('is not given once the stream is over', async () => {
    const { queue, grant } = setUp(2);
    for (let i = 0; i < 4; i++) queue.push(i, BYTES);
    queue.end();
    for (let i = 0; i < 4; i++) await queue.next();
    expect(grant).not.toHaveBeenCalled();
  });

  it('grows while the reader has to wait, up to its bound, and stays for one that never does', async () => {
    const waiting = setUp(4, 16);
    for (let i = 0; i < 40; i++) {
      const next = waiting.queue.next();
      waiting.queue.push(i, BYTES);
      await next;
    }
    // half a window was taken, and the window doubled; the last doubling reaches the bound
    expect(waiting.grant.mock.calls.map(([chunks]) => chunks)).toEqual([6, 12, 8, 8, 8, 8]);
    const slow = setUp(4, 16);
    for (let i = 0; i < 40; i++) slow.queue.push(i, BYTES);
    for (let i = 0; i < 40; i++) await slow.queue.next();
    expect(new Set(slow.grant.mock.calls.map(([chunks]) => chunks))).toEqual(new Set([2]));
  });

  it('is bounded by the bytes of the largest chunk, too, and shrinks again for it', async () => {
    const { queue, grant } = setUp(4, 1_024);
    const read = async (count: number, bytes: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const next = queue.next();
        queue.push(i, bytes);
        await next;
      }
    };
    await read(2 + 4 + 8, BYTES);
    expect(grant.mock.calls.map(([chunks]) => chunks)).toEqual([6, 12, 24]);
    // a window of 32; now eight of these are all that may be on their way
    await read(24, STREAM_CREDIT_BYTES / 8);
    expect(grant).toHaveBeenCalledTimes(3);
    await read(1, STREAM_CREDIT_BYTES / 8);
    expect(grant.mock.calls.slice(3)).toEqual([[1]]);
    await read(4, STREAM_CREDIT_BYTES / 8);
    expect(grant.mock.calls.slice(4)).toEqual([[4]]);
  });

  it('never runs dry: a producer within its credit gets every chunk to a reader that reads', async () => {
    const step = fc.constantFrom('produce', 'read');
    await fc.assert(
      fc.asyncProperty(fc.array(step), fc.integer({ min: 1, max: 9 }), async (steps, window) => {
        const { queue, granted } = setUp(window, 4 * window);
        const read: number[] = [];
        let produced = 0;
        const produce = (): void => {
          if (produced < window + granted()) queue.push(produced++, BYTES);
        };
        const take = (): void => {
          void queue.next().then(({ value }) => read.push(value ?? -1));
        };
        for (const each of steps) (each === 'produce' ? produce : take)();
        await turns();
        // as many reads as there may ever be: none may wait for credit that never comes
        const wanted = steps.filter((each) => each === 'read').length;
        for (let i = 0; i < wanted; i++) produce();
        await turns();
        expect(read).toEqual(Array.from({ length: wanted }, (_, i) => i));
        expect(produced).toBeLessThanOrEqual(wanted + 4 * window);
      }),
      { numRuns: 200 },
    );
  });
});
