/** A thread that is silent though it is inside no call. DESIGN §7; FAILURES 12. */
import { describe, expect, it } from 'vitest';

import { eventsOf, nextEvent, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager, EAGER_RESTART, run } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';

const UNRESPONSIVE_MS = 400;
const limits = { unresponsiveMs: UNRESPONSIVE_MS };

describe('a plugin that is silent while it is inside no call', () => {
  it.each(['spin', 'wait'])('(%s) is told, ended as hung, and restarted', async (way) => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const events = recordEvents(manager);
    const plugin = await run(manager, 'idler.mjs', { limits, restart: EAGER_RESTART });
    const restarted = nextEvent(manager, 'restarted');
    const silent = nextEvent(manager, 'unresponsive');
    expect(await plugin.execute({ way })).toBe(1);
    await silent;
    const waiting = [1, 2, 3].map(() => plugin.execute({ way: 'fine' }));
    await restarted;
    expect(await Promise.all(waiting)).toEqual([2, 2, 2]);
    const told = eventsOf(events, 'unresponsive');
    expect(told).toMatchObject([
      {
        id: 'idler',
        generation: 1,
        reason: expect.stringContaining('did not answer for 400 ms') as string,
      },
    ]);
    expect(eventsOf(events, 'crashed').map(({ crash }) => crash.reason)).toEqual(['hang']);
    expect(await plugin.stats()).toMatchObject({
      restarts: 1,
      zombies: 0,
      calls: { succeeded: 4, crashed: 0, inFlight: 0, queued: 0 },
    });
    await neighbour.isUnharmed();
  });

  it('is told with what it does, where that is JavaScript', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'idler.mjs', { isolation: 'thread', limits });
    const told = nextEvent(manager, 'unresponsive');
    await plugin.execute({ way: 'spin' });
    expect((await told).stack).toMatch(/at spinForEver \(.*idler\.mjs:\d+:\d+\)/);
  });

  it('is told once and left alone where it is temporary', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await run(manager, 'idler.mjs', {
      limits: { ...limits, healthTimeoutMs: 900, stopTimeoutMs: 100 },
      restart: { type: 'temporary' },
    });
    const told = nextEvent(manager, 'unresponsive');
    await plugin.execute({ way: 'spin' });
    await told;
    // takes longer than two more silences would
    expect(await plugin.health()).toMatchObject({ healthy: false, live: false });
    expect(eventsOf(events, 'unresponsive')).toHaveLength(1);
    expect(plugin.state).toBe('running');
  });
});

describe('a plugin is not taken for silent', () => {
  it.each([
    ['while it computes inside a call', { way: 'spin-in-call', ms: 600 }],
    ['while it is busy but answers', { way: 'busy' }],
  ])('%s', async (_, what) => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await run(manager, 'idler.mjs', { limits: { unresponsiveMs: 200 } });
    await run(manager, 'idler.mjs', { id: 'clock', limits: { unresponsiveMs: 0 } });
    await plugin.execute(what);
    await manager.execute('clock', { way: 'spin-in-call', ms: 500 });
    expect(await plugin.execute({ way: 'fine' })).toBe(1);
    expect(eventsOf(events, 'unresponsive')).toEqual([]);
  });

  it('with a limit of 0', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await run(manager, 'idler.mjs', {
      limits: { unresponsiveMs: 0, stopTimeoutMs: 100, healthTimeoutMs: 1_000 },
    });
    await plugin.execute({ way: 'spin' });
    await eventually(async () => {
      expect(await plugin.health()).toMatchObject({ live: false });
    });
    expect(eventsOf(events, 'unresponsive')).toEqual([]);
  });
});
