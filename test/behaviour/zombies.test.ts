/** Threads whose end does not come: blocked in a system call. FAILURES 13, 14. */
import { describe, expect, it } from 'vitest';

import { newBlock } from '../support/block.ts';
import { eventsOf, nextEvent, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager, EAGER_RESTART, run } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { codesOf, failureOf } from '../support/outcomes.ts';

const options = {
  limits: { graceMs: 100 },
  restart: EAGER_RESTART,
};

describe('a plugin that is blocked in a system call', () => {
  it('is replaced before its thread is gone', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const events = recordEvents(manager);
    const plugin = await run(manager, 'idler.mjs', options);
    const block = await newBlock();
    const blocked = plugin.execute(block.input, { timeoutMs: 500 });
    const waiting = plugin.execute({ way: 'fine' });
    expect(await failureOf(blocked)).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(await waiting).toBe(2);
    expect(await plugin.stats()).toMatchObject({
      zombies: 1,
      calls: { timedOut: 1, succeeded: 1, inFlight: 0, queued: 0 },
      lastCrash: { reason: 'hang' },
    });
    expect(eventsOf(events, 'warning')).toMatchObject([
      { message: expect.stringContaining('zombies: 1 of at most 3') as string },
    ]);
    await block.release();
    await eventually(async () => {
      expect(await plugin.stats()).toMatchObject({ zombies: 0, generation: 2 });
    });
    await neighbour.isUnharmed();
  });

  it('again and again is not started again, until its threads have gone', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await run(manager, 'idler.mjs', options);
    const gaveUp = nextEvent(manager, 'gave-up');
    const block = await newBlock();
    for (let life = 1; life <= 3; life++) {
      const next = life < 3 ? nextEvent(manager, 'restarted') : gaveUp;
      const codes = codesOf([
        plugin.execute(block.input, { timeoutMs: 500 }),
        ...(life < 3 ? [] : [plugin.execute({ way: 'fine' })]),
      ]);
      await next;
      expect(await codes).toEqual(life < 3 ? ['CALL_TIMEOUT'] : ['CALL_TIMEOUT', 'LOAD_FAILED']);
    }
    expect(await gaveUp).toMatchObject({ why: 'permanent-error' });
    expect(await plugin.stats()).toMatchObject({ state: 'failed', zombies: 3 });
    await block.release();
    await eventually(async () => {
      expect(await plugin.stats()).toMatchObject({ zombies: 0 });
    });
    await plugin.restart();
    expect(await plugin.execute({ way: 'fine' })).toBeGreaterThan(3);
    await neighbour.isUnharmed();
  });
});
