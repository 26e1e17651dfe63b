/** Streams: every kind of iterator, back-pressure, breaking off, errors. DESIGN §6. */
import type { PluginHandle, PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { AFTER_A_CRASH } from '../support/isolation.ts';
import { createManager, EAGER_RESTART, run, type SpecOptions } from '../support/manager.ts';
import { failureOf, readAll } from '../support/outcomes.ts';
import { soon } from '../support/soon.ts';
import { wordsOf } from '../support/words.ts';

/** Chunks a producer may be ahead of its reader, generously: the credit, and what is on its way. */
const FIRST_WINDOW = 64;
const AHEAD_MAX = 1_024;

interface Streamer {
  plugin: PluginHandle;
  produced(): number;
  /** Generators that ran their `finally`. */
  finished(): number;
}

async function runStreamer(manager: PluginManager, options?: SpecOptions): Promise<Streamer> {
  const plugin = await run(manager, 'streamer.mjs', { restart: EAGER_RESTART, ...options });
  const words = await wordsOf(manager, 'streamer', 2);
  return {
    plugin,
    produced: () => words.load(0),
    finished: () => words.load(1),
  };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('a stream', () => {
  it.each(['sync', 'async', 'iterable'])(
    'of a %s source gives all chunks in order',
    async (way) => {
      const manager = createManager();
      const { plugin } = await runStreamer(manager);
      const { chunks, error } = await readAll(plugin.stream({ way, count: 1_000 }));
      expect(error).toBeUndefined();
      expect(chunks).toEqual(upTo(1_000));
      expect(await plugin.stats()).toMatchObject({ calls: { succeeded: 1, inFlight: 0 } });
    },
  );

  it('is known to the plugin as one, and a call without a reader as none', async () => {
    const manager = createManager();
    const { plugin } = await runStreamer(manager);
    expect(await readAll(plugin.stream({ way: 'asked' }))).toMatchObject({ chunks: [true] });
    expect(await plugin.execute({ way: 'asked' })).toBe(false);
  });

  it('of nothing is empty', async () => {
    const manager = createManager();
    const { plugin } = await runStreamer(manager);
    expect(await readAll(plugin.stream({ way: 'sync', count: 0 }))).toEqual({
      chunks: [],
      error: undefined,
    });
  });

  it.each([['a text'], [[1, 2, 3]], [{ a: 1 }], [undefined], [new Map([[1, 2]])]])(
    'of a result that is no iterator is one chunk: %s',
    async (value) => {
      const manager = createManager();
      const { plugin } = await runStreamer(manager);
      const { chunks } = await readAll(plugin.stream({ way: 'value', value }));
      expect(chunks).toEqual([value]);
    },
  );

  it.each(['sync', 'async', 'iterable'])('that is executed (%s) is an array', async (way) => {
    const manager = createManager();
    const { plugin } = await runStreamer(manager);
    expect(await plugin.execute({ way, count: 200 })).toEqual(upTo(200));
  });

  it('can be read step by step, and by two readers at once', async () => {
    const manager = createManager();
    const { plugin } = await runStreamer(manager);
    const steps = plugin.stream({ way: 'sync', count: 3 })[Symbol.asyncIterator]();
    const asked = await Promise.all([steps.next(), steps.next(), steps.next(), steps.next()]);
    expect(asked.map(({ value }) => value as unknown)).toEqual([0, 1, 2, undefined]);
    expect(asked.map(({ done }) => done)).toEqual([false, false, false, true]);
  });
});

describe('back-pressure', () => {
  it.each(['sync', 'async'])('stops a %s producer within the credit window', async (way) => {
    const manager = createManager();
    const { plugin, produced } = await runStreamer(manager);
    const read: unknown[] = [];
    for await (const chunk of plugin.stream({ way })) {
      read.push(chunk);
      if (read.length === 1) {
        // as much time as a producer without bounds would need for a flood
        await run(manager, 'echo.mjs');
        for (let i = 0; i < 200; i++) await manager.execute('echo', i);
      }
      // one that has waited for a single chunk has the first window
      const window = read.length === 1 ? FIRST_WINDOW : AHEAD_MAX;
      expect(produced() - read.length).toBeLessThanOrEqual(window);
      if (read.length === 5_000) break;
    }
    expect(read).toEqual(upTo(5_000));
  });
});

describe('breaking off', () => {
  it.each(['sync', 'async'])('cancels a %s producer, and its finally runs', async (way) => {
    const manager = createManager();
    const { plugin, produced, finished } = await runStreamer(manager);
    for await (const chunk of plugin.stream({ way })) if (chunk === 10) break;
    await eventually(() => {
      expect(finished()).toBe(1);
    });
    expect(produced()).toBeLessThanOrEqual(10 + AHEAD_MAX);
    expect(await plugin.execute({ way: 'value', value: 'next' })).toBe('next');
    expect(await plugin.stats()).toMatchObject({
      generation: 1,
      calls: { aborted: 1, succeeded: 1, inFlight: 0 },
    });
  });

  it('by an error of the reader does so too', async () => {
    const manager = createManager();
    const { plugin, finished } = await runStreamer(manager);
    const read = async (): Promise<void> => {
      for await (const chunk of plugin.stream({ way: 'async' })) {
        if (chunk === 5) throw new Error('the reader fell over');
      }
    };
    await expect(read()).rejects.toThrow('the reader fell over');
    await eventually(() => {
      expect(finished()).toBe(1);
    });
  });

  it('by a signal ends the stream with CALL_ABORTED', async () => {
    const manager = createManager();
    const { plugin, finished } = await runStreamer(manager);
    const controller = new AbortController();
    const chunks: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of plugin.stream({ way: 'async' }, { signal: controller.signal })) {
        chunks.push(chunk);
        if (chunks.length === 20) controller.abort();
      }
    };
    await expect(soon(read())).rejects.toMatchObject({ code: 'CALL_ABORTED' });
    expect(chunks).toEqual(upTo(chunks.length));
    await eventually(() => {
      expect(finished()).toBe(1);
    });
  });
});

describe('an error after k chunks', () => {
  it('of the plugin delivers k chunks, then the error', async () => {
    const manager = createManager();
    const { plugin } = await runStreamer(manager);
    const { chunks, error } = await readAll(plugin.stream({ way: 'failing', count: 150 }));
    expect(chunks).toEqual(upTo(150));
    expect(error).toMatchObject({
      code: 'CALL_FAILED',
      pluginId: 'streamer',
      cause: { name: 'RangeError', message: 'dry', code: 'E_DRY' },
    });
  });

  it('of the thread delivers the chunks, then PLUGIN_CRASHED', async () => {
    const manager = createManager();
    const { plugin } = await runStreamer(manager);
    const { chunks, error } = await readAll(plugin.stream({ way: 'dying', count: 40 }));
    expect(chunks).toEqual(upTo(40));
    expect(error).toMatchObject({ code: 'PLUGIN_CRASHED', data: { reason: 'exit', exitCode: 7 } });
    expect(await plugin.execute({ way: 'value', value: 'next' })).toBe('next');
  });

  it('of time delivers the chunks, then CALL_TIMEOUT', async () => {
    const manager = createManager();
    const { plugin } = await runStreamer(manager);
    const stream = plugin.stream({ way: 'polite', count: 30 }, { timeoutMs: 300 });
    const { chunks, error } = await readAll(stream);
    expect(chunks).toEqual(upTo(30));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', data: { phase: 'running' } });
    expect(await plugin.execute({ way: 'value', value: 'next' })).toBe('next');
    expect(await plugin.stats()).toMatchObject({ generation: 1 });
  });

  it('of time ends at its timeout, also where its reader is never idle', async () => {
    const { plugin } = await runStreamer(createManager());
    const most = 100_000;
    let count = 0;
    const reading = (async () => {
      for await (const _ of plugin.stream({ way: 'sync', count: most }, { timeoutMs: 100 })) {
        count++;
        const until = performance.now() + 0.03;
        while (performance.now() < until);
      }
    })();
    expect((await failureOf(reading)).code).toBe('CALL_TIMEOUT');
    expect(count).toBeLessThan(most);
  });

  it('of time costs the thread where the producer is deaf', async () => {
    const manager = createManager();
    const { plugin } = await runStreamer(manager);
    const stream = plugin.stream({ way: 'stalling', count: 3 }, { timeoutMs: 200 });
    expect((await readAll(stream)).error).toMatchObject({ code: 'CALL_TIMEOUT' });
    await eventually(async () => {
      expect(await plugin.stats()).toMatchObject({ ...AFTER_A_CRASH, state: 'running' });
    });
  });

  it('of a chunk that cannot be sent is PAYLOAD_INVALID', async () => {
    const manager = createManager();
    const { plugin } = await runStreamer(manager);
    const { chunks, error } = await readAll(plugin.stream({ way: 'unsendable' }));
    expect(chunks).toEqual(['fine']);
    expect(error).toMatchObject({ code: 'PAYLOAD_INVALID', pluginId: 'streamer' });
    expect(await plugin.stats()).toMatchObject({ generation: 1 });
  });
});

describe('two streams', () => {
  it('interleave in one plugin at concurrency 2', async () => {
    const manager = createManager();
    const { plugin } = await runStreamer(manager, { concurrency: 2 });
    const order: unknown[] = [];
    const read = async (mine: string, first: boolean): Promise<void> => {
      const stream = plugin.stream({ way: 'turns', count: 5, mine, first });
      for await (const chunk of stream) order.push(chunk);
    };
    await soon(Promise.all([read('a', true), read('b', false)]));
    expect(order).toEqual(upTo(5).flatMap((i) => [`a${String(i)}`, `b${String(i)}`]));
  });

  it('come one after the other at concurrency 1', async () => {
    const manager = createManager();
    const { plugin } = await runStreamer(manager);
    const both = await Promise.all([
      readAll(plugin.stream({ way: 'async', count: 300 })),
      readAll(plugin.stream({ way: 'async', count: 300 })),
    ]);
    expect(both.map(({ chunks }) => chunks)).toEqual([upTo(300), upTo(300)]);
  });
});
