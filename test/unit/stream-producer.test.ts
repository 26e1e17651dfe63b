import { describe, expect, it, vi } from 'vitest';

import { collect, StreamProducer } from '../../src/actor/stream-producer.ts';

function sinkOf() {
  return { chunk: vi.fn(), pause: vi.fn(), end: vi.fn(), fail: vi.fn() };
}

/** Yields what it is given, and counts how often it was left in good order. */
function source(values: readonly unknown[]) {
  const left = vi.fn();
  const generator = function* () {
    try {
      yield* values;
    } finally {
      left();
    }
  };
  return { left, iterator: generator() };
}

describe('a stream', () => {
  it('gives all its chunks, promises awaited, and then its end', async () => {
    const { iterator, left } = source([1, Promise.resolve(2), 3]);
    const sink = sinkOf();
    await new StreamProducer(iterator, sink).run();
    expect(chunksOf(sink)).toEqual([1, 2, 3]);
    expect([sink.end, sink.fail, left].map((each) => each.mock.calls.length)).toEqual([1, 0, 1]);
  });

  it('is left in good order where a chunk cannot be sent', async () => {
    const { iterator, left } = source([1, 2]);
    const sink = sinkOf();
    const refused = new TypeError('cannot be sent');
    sink.chunk.mockImplementation(() => {
      throw refused;
    });
    await new StreamProducer(iterator, sink).run();
    expect(sink.fail.mock.calls).toEqual([[refused]]);
    expect([sink.chunk, sink.end, left].map((each) => each.mock.calls.length)).toEqual([1, 0, 1]);
  });

  it('is left in good order where a promise it yields rejects, read or collected', async () => {
    const dry = new RangeError('dry');
    const rejected = Promise.reject(dry);
    rejected.catch(() => undefined);
    const [read, collected] = [source([1, rejected, 3]), source([1, rejected, 3])];
    const sink = sinkOf();
    await new StreamProducer(read.iterator, sink).run();
    expect([chunksOf(sink), sink.fail.mock.calls]).toEqual([[1], [[dry]]]);
    await expect(collect(collected.iterator)).rejects.toBe(dry);
    expect([read.left, collected.left].map((left) => left.mock.calls.length)).toEqual([1, 1]);
  });

  it('tells what went wrong first, whatever leaving it does', async () => {
    const refused = new TypeError('cannot be sent');
    const iterator = {
      [Symbol.asyncIterator]: () => iterator,
      next: () => Promise.resolve({ value: 1, done: false }),
      return: () => Promise.reject(new Error('and that')),
    };
    const sink = sinkOf();
    sink.chunk.mockImplementation(() => {
      throw refused;
    });
    await new StreamProducer(iterator, sink).run();
    expect(sink.fail.mock.calls).toEqual([[refused]]);
  });
});

function chunksOf(sink: ReturnType<typeof sinkOf>): unknown[] {
  return sink.chunk.mock.calls.map(([chunk]) => chunk as unknown);
}
