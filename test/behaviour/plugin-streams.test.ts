/** Streams from plugin to plugin, with back-pressure and cancelling through all hops. DESIGN §6. */
import type { PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { createManager, EAGER_RESTART, run } from '../support/manager.ts';
import { readAll } from '../support/outcomes.ts';
import { wordsOf } from '../support/words.ts';

const runRelay = (manager: PluginManager, id: string, concurrency = 1): ReturnType<typeof run> =>
  run(manager, 'relay.mjs', { id, concurrency, restart: EAGER_RESTART });

describe('ctx.stream', () => {
  it('passes every chunk on, in order', async () => {
    const manager = createManager();
    await runRelay(manager, 'a');
    await run(manager, 'streamer.mjs');
    const command = { do: 'stream', to: 'streamer', input: { way: 'sync', count: 1_000 } };
    const { chunks } = await readAll(manager.stream('a', command));
    expect(chunks).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect(await manager.execute('a', command)).toHaveLength(1_000);
  });

  it('holds the producer back through the relay, and cancels it through it', async () => {
    const manager = createManager();
    await runRelay(manager, 'a');
    await run(manager, 'streamer.mjs');
    const words = await wordsOf(manager, 'streamer', 2);
    const command = { do: 'stream', to: 'streamer', input: { way: 'async' } };
    let [read, ahead] = [0, 0];
    for await (const _ of manager.stream('a', command)) {
      read++;
      if (read % 100 === 0) {
        await manager.context.state.get('a turn of the event loop');
        ahead = Math.max(ahead, words.load(0) - read);
      }
      if (read === 10_000) break;
    }
    await eventually(() => {
      expect(words.load(1)).toBe(1);
    });
    // two windows: the relay's and the producer's
    expect(ahead).toBeGreaterThan(0);
    expect(ahead).toBeLessThanOrEqual(2 * 1_024 + 2);
    expect(words.load(0)).toBeLessThanOrEqual(10_000 + 2 * 1_024 + 2);
  });

  it('can be broken off by the plugin that reads it', async () => {
    const manager = createManager();
    await runRelay(manager, 'a');
    await run(manager, 'streamer.mjs');
    const words = await wordsOf(manager, 'streamer', 2);
    const command = { do: 'take', to: 'streamer', input: { way: 'sync' }, count: 5 };
    expect(await manager.execute('a', command)).toEqual([0, 1, 2, 3, 4]);
    await eventually(() => {
      expect(words.load(1)).toBe(1);
    });
    expect(await manager.execute('a', command)).toEqual([0, 1, 2, 3, 4]);
  });

  it('is known to the plugin that is asked, across the kernel', async () => {
    const manager = createManager();
    await runRelay(manager, 'a');
    await run(manager, 'streamer.mjs');
    const command = { do: 'stream', to: 'streamer', input: { way: 'asked' } };
    expect(await readAll(manager.stream('a', command))).toMatchObject({ chunks: [true] });
  });

  it('ends with the producer’s error after its chunks', async () => {
    const manager = createManager();
    await runRelay(manager, 'a');
    await run(manager, 'streamer.mjs');
    const command = { do: 'stream', to: 'streamer', input: { way: 'failing', count: 7 } };
    const { chunks, error } = await readAll(manager.stream('a', command));
    expect(chunks).toHaveLength(7);
    expect(error).toMatchObject({
      code: 'CALL_FAILED',
      pluginId: 'a',
      cause: { code: 'CALL_FAILED', pluginId: 'streamer', cause: { code: 'E_DRY' } },
    });
  });
});
