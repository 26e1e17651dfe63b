import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { growthSince, holdings } from '../support/holdings.ts';
import { createManager } from '../support/manager.ts';
import { callOn, changing, counting } from '../support/reloading.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const RELOADS = 200;
/** Before these, what is made once for all is made. */
const WARM_UP = 5;
/** From here on memory is flat, to what a few threads hold; that of every old version would be ten times as much. */
const MEMORY_FROM = 50;
const GROWTH_BYTES_MAX = 64 * 2 ** 20;

describe('200 reloads under load', () => {
  it(
    'fail no call, answer none twice, and leave nothing behind',
    { timeout: 180_000 },
    async () => {
      const manager = createManager();
      const { plugin, write } = await changing(manager);
      const caller = callOn(plugin, 3);
      let before = holdings();
      for (let reload = 1; reload <= RELOADS; reload++) {
        await write(counting(reload + 1));
        const { ok, error } = await plugin.reload();
        if (!ok) throw error;
        if (reload === WARM_UP) before = await atRest(before);
      }
      const answers = await caller.stop();
      expect(answers.map(({ input }) => input)).toEqual(answers.map((_, i) => i));
      expect(answers.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual(
        answers.map((_, i) => i + 1),
      );
      expect(answers.at(-1)?.version).toBe(RELOADS + 1);
      expect(await plugin.stats()).toMatchObject({
        generation: RELOADS + 1,
        restarts: 0,
        calls: { started: answers.length, succeeded: answers.length, inFlight: 0, queued: 0 },
      });
      await eventually(() => {
        expect(growthSince(before)).toEqual([]);
      });
    },
  );

  it('hold no more memory in the end than after the first of them', async () => {
    const { plugin, write } = await changing(createManager());
    const over = new AbortController();
    // what is kept of each call would be more than what is looked for
    const caller = (async () => {
      while (!over.signal.aborted) await plugin.execute(0);
    })();
    let residentBytes = 0;
    for (let reload = 1; reload <= RELOADS; reload++) {
      await write(counting(reload + 1));
      expect((await plugin.reload()).ok).toBe(true);
      if (reload === MEMORY_FROM) residentBytes = residentNow();
    }
    over.abort();
    await caller;
    expect(residentNow() - residentBytes).toBeLessThan(GROWTH_BYTES_MAX);
  }, 180_000);
});

/** Old versions end in their own time: the least that is held with the new one serving. */
async function atRest(start: ReturnType<typeof holdings>): Promise<ReturnType<typeof holdings>> {
  return eventually(() => {
    const now = holdings();
    if (now.threads > start.threads + 1) throw new Error('an old version is there still');
    return now;
  });
}

/** What the process holds (bytes), its garbage collected. */
function residentNow(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}
