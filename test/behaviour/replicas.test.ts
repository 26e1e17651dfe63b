/** `replicas`: several actors of one plugin behind one id. */
import path from 'node:path';

import type { PluginHandle } from 'troupe';
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventsOf, nextEvent, recordEvents, recordStates } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';
import { createManager, EAGER_RESTART, run, runAssistant, specOf } from '../support/manager.ts';
import { codesOf, failureOf, later } from '../support/outcomes.ts';

interface Counted {
  replica: number;
  generation: number;
  count: number;
  id: string;
}
type Counter = PluginHandle<{ key?: string | number; end?: boolean; fail?: boolean }, Counted>;

const runCounter = (
  manager: ReturnType<typeof createManager>,
  options: Parameters<typeof specOf>[1] = {},
): Promise<Counter> => run(manager, 'counter.mjs', { restart: EAGER_RESTART, ...options });

describe('a plugin with replicas', () => {
  it('runs as many calls at once as it has, each in an actor of its own', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { replicas: 3 });
    const board = await boardOf(manager);
    const held = [1, 2, 3, 4].map(() => plugin.execute({ do: 'hold' }));
    await board.hasBegun(3);
    expect((await plugin.stats())?.calls).toMatchObject({ started: 4, inFlight: 4, queued: 0 });
    await board.release('done');
    expect(await Promise.all(held)).toEqual(['done', 'done', 'done', 'done']);
    const generations = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(() => plugin.execute({ do: 'generation' })),
    );
    expect(new Set(generations)).toEqual(new Set([1, 2, 3]));
  });

  it('tells its actors which they are, and no two calls have the same id', async () => {
    const manager = createManager();
    const counter = await runCounter(manager, { replicas: 2 });
    const seen = await Promise.all([1, 2, 3, 4].map(() => counter.execute({ key: 'a' })));
    expect(new Set(seen.map(({ replica }) => replica))).toEqual(new Set([0, 1]));
    expect(new Set(seen.map(({ id }) => id)).size).toBe(4);
    await manager.register(specOf('counter.mjs', { id: 'single' }));
    await manager.up();
    expect(await manager.execute('single', { key: 'a' }, { affinity: 'a' })).toMatchObject({
      replica: 0,
    });
  });

  it('gives a free replica what waits for a busy one', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { replicas: 2 });
    const board = await boardOf(manager);
    const held = plugin.execute({ do: 'hold' });
    await board.hasBegun(1);
    // half of them would wait for the one that is held
    const others = Array.from({ length: 20 }, (_, value) => plugin.execute({ do: 'echo', value }));
    expect(await Promise.all(others)).toEqual(Array.from({ length: 20 }, (_, value) => value));
    await board.release();
    expect(await held).toBe('released');
  });

  it('keeps calls with one key at one replica, so that it can keep their state', async () => {
    const manager = createManager();
    const counter = await runCounter(manager, { replicas: 3 });
    const keys = Array.from({ length: 12 }, (_, key) => `user-${key}`);
    const seen = await Promise.all(
      keys.flatMap((key) => [1, 2, 3].map(() => counter.execute({ key }, { affinity: key }))),
    );
    expect(seen.map(({ count }) => count)).toEqual(keys.flatMap(() => [1, 2, 3]));
    expect(new Set(seen.map(({ replica }) => replica)).size).toBeGreaterThan(1);
    // a plugin that calls finds the same replica for the same key
    const relay = await run(manager, 'relay.mjs');
    for (const key of keys) {
      const call = { do: 'call', to: 'counter', input: { key }, options: { affinity: key } };
      expect(await relay.execute(call)).toMatchObject({ count: 4 });
    }
  });

  it('loses the begun call alone when one of them crashes', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const counter = await runCounter(manager, { replicas: 3 });
    const back = nextEvent(manager, 'restarted');
    const calls = Array.from({ length: 60 }, (_, at) =>
      counter.execute(at === 20 ? { end: true } : { key: at }),
    );
    const codes = await codesOf(calls);
    expect(codes.flatMap((code, at) => (code === 'ok' ? [] : [at, code]))).toEqual([
      20,
      'PLUGIN_CRASHED',
    ]);
    const { replica, generation } = await back;
    expect(generation).toBe(4);
    const crashes = eventsOf(events, 'crashed').map((event) => [event.id, event.replica]);
    expect(crashes).toEqual([['counter', replica]]);
    expect(
      eventsOf(events, 'state-changed')
        .filter(({ id }) => id === 'counter')
        .map(({ to }) => to),
    ).toEqual(['loading', 'loaded', 'initialized', 'running']);
    const its = eventsOf(events, 'replica-changed').filter((event) => event.replica === replica);
    expect(its.map(({ from, to }) => `${from} → ${to}`).slice(-2)).toEqual([
      'running → restarting',
      'restarting → running',
    ]);
    expect(await counter.stats()).toMatchObject({
      generation: 4,
      restarts: 1,
      crashes: 1,
      calls: { started: 60, succeeded: 59, crashed: 1, inFlight: 0, queued: 0 },
    });
  });

  it('holds all of them at a pause, and lets all go on', async () => {
    const manager = createManager();
    const states = recordStates(manager, 'counter');
    const counter = await runCounter(manager, { replicas: 2 });
    await counter.pause();
    const waiting = [1, 2, 3, 4].map((key) => counter.execute({ key }));
    expect((await counter.stats())?.calls).toMatchObject({ queued: 4, inFlight: 0 });
    await counter.resume();
    expect(await codesOf(waiting)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(states.slice(-2)).toEqual(['running → paused', 'paused → running']);
  });

  it.each(['stop', 'unload', 'restart', 'close'] as const)(
    'settles each call once at a %s in the middle of them',
    async (verb) => {
      const manager = createManager();
      const plugin = await runAssistant(manager, { replicas: 2 });
      const board = await boardOf(manager);
      const held = [1, 2].map(() => later(plugin.execute({ do: 'hold' })));
      await board.hasBegun(2);
      const waiting = [1, 2, 3, 4].map((value) => later(plugin.execute({ do: 'echo', value })));
      const gone = verb === 'close' ? manager.close() : plugin[verb]();
      const waited = codesOf(waiting);
      // they are rejected at once, whatever those that have begun do
      if (verb !== 'restart') await waited;
      await board.release();
      await gone;
      expect(await codesOf(held)).toEqual(['ok', 'ok']);
      const expected = verb === 'restart' ? 'ok' : 'PLUGIN_STOPPED';
      expect(await waited).toEqual(waiting.map(() => expected));
      const states = {
        stop: 'initialized',
        restart: 'running',
        unload: 'unloaded',
        close: 'unloaded',
      };
      expect(plugin.state).toBe(states[verb]);
    },
  );

  it('says of a verb that one of them did not manage which one that was', async () => {
    const manager = createManager();
    const options = { replicas: 3, config: { refuses: 1 } };
    await manager.register(specOf('counter.mjs', options));
    await manager.load('counter');
    const error = await failureOf(manager.init('counter'));
    expect(error).toMatchObject({ code: 'INIT_FAILED', data: { replica: 1, replicas: [1] } });
    expect(error.message).toContain('counter, replica 1: ');
    await manager.start('counter');
    expect((await manager.stats('counter'))?.replicas?.map(({ state }) => state)).toEqual([
      'running',
      'failed',
      'running',
    ]);
    expect(await codesOf([1, 2, 3, 4].map((key) => manager.execute('counter', { key })))).toEqual([
      'ok',
      'ok',
      'ok',
      'ok',
    ]);
    const health = await manager.health('counter');
    expect(health).toMatchObject({
      healthy: true,
      ready: true,
      live: true,
      state: 'running',
      reason: 'replica 1: it failed; call restart or unload',
    });
  });

  it('adds up what its replicas counted, and says what each does', async () => {
    const manager = createManager();
    const counter = await runCounter(manager, { replicas: 2 });
    const calls = Array.from({ length: 20 }, (_, at) =>
      counter.execute(at === 7 ? { fail: true } : { key: at }),
    );
    await Promise.allSettled(calls);
    const stats = await counter.stats();
    expect(stats).toMatchObject({
      state: 'running',
      generation: 2,
      restarts: 0,
      calls: { started: 20, succeeded: 19, failed: 1, inFlight: 0, queued: 0 },
      plugin: {},
    });
    expect(stats?.latencyMs.p50).toBeGreaterThan(0);
    expect(stats?.latencyMs.max).toBeGreaterThanOrEqual(stats?.latencyMs.p99 ?? Infinity);
    const replicas = stats?.replicas ?? [];
    expect(replicas.map(({ replica, state, generation }) => [replica, state, generation])).toEqual([
      [0, 'running', 1],
      [1, 'running', 2],
    ]);
    const served = replicas.map(({ plugin }) => Number(plugin['served']));
    expect(served.reduce((sum, each) => sum + each)).toBe(19);
    expect(stats?.memory?.heapUsedBytes).toBeGreaterThan(100_000);
  });

  it('is not healthy where one that runs is not', async () => {
    const manager = createManager();
    await runCounter(manager, { replicas: 2, config: { ill: 1 } });
    const health = await manager.health('counter');
    expect(health).toMatchObject({ healthy: false, ready: true, live: true, state: 'running' });
    expect(
      health.replicas?.map(({ replica, healthy, ready }) => [replica, healthy, ready]),
    ).toEqual([
      [0, true, true],
      [1, false, false],
    ]);
    expect(health.replicas?.[1]?.detail).toEqual({ healthy: false, replica: 1 });
    expect(await manager.healthCheckAll()).toEqual(new Map([['counter', false]]));
  });

  it('can be looked into one by one', async () => {
    const manager = createManager();
    await runCounter(manager, { replicas: 2 });
    const folder = await temporaryFolder({});
    const file = path.join(folder, 'second.cpuprofile');
    const profile = await manager.cpuProfile('counter', { file, durationMs: 50, replica: 1 });
    expect(profile.file).toBe(file);
    const error = await failureOf(
      manager.cpuProfile('counter', { file, durationMs: 50, replica: 2 }),
    );
    expect(error).toMatchObject({ code: 'INVALID_SPEC', data: { field: 'replica' } });
    expect(error.message).toContain('there is no replica 2 now');
  });

  it('is no child of a group, nor part of a pool', async () => {
    const manager = createManager();
    const error = await failureOf(manager.group('g', {}, [specOf('counter.mjs', { replicas: 2 })]));
    expect(error).toMatchObject({
      code: 'INVALID_SPEC',
      pluginId: 'counter',
      data: { field: 'replicas' },
    });
    expect(manager.listPlugins()).toEqual([]);
  });
});

describe('a plugin whose replicas follow its load', () => {
  it('has more of them while calls wait, and fewer when it has nothing to do', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await runAssistant(manager, {
      replicas: { min: 1, max: 3, growAfterMs: 40, shrinkAfterMs: 400 },
    });
    const board = await boardOf(manager);
    const three = nextEvent(manager, 'scaled', ({ to }) => to === 3);
    const held = [1, 2, 3, 4, 5].map(() => plugin.execute({ do: 'hold' }));
    await three;
    await board.hasBegun(3);
    expect((await plugin.stats())?.replicas?.map(({ replica }) => replica)).toEqual([0, 1, 2]);
    const one = nextEvent(manager, 'scaled', ({ to }) => to === 1);
    await board.release();
    expect(await codesOf(held)).toEqual(held.map(() => 'ok'));
    await one;
    const sizes = eventsOf(events, 'scaled').map(({ from, to }) => `${from} → ${to}`);
    expect(sizes).toEqual(['1 → 2', '2 → 3', '3 → 2', '2 → 1']);
    expect(await plugin.execute({ do: 'echo', value: 'still here' })).toBe('still here');
    await eventually(() => {
      const changes = eventsOf(events, 'replica-changed');
      expect(changes.filter(({ to }) => to === 'unloaded')).toHaveLength(2);
    });
    expect((await plugin.stats())?.calls).toMatchObject({ started: 6, succeeded: 6 });
  });

  it('is as auto says: from one to one less than there are processors', async () => {
    const manager = createManager();
    const counter = await runCounter(manager, { replicas: 'auto' });
    expect((await counter.stats())?.replicas).toHaveLength(1);
  });
});
