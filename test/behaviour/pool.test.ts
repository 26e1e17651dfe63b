/** A stateless plugin in many threads. DESIGN §7; FAILURES 4, 12, 29. */
import { fileURLToPath } from 'node:url';

import type { PluginHandle, PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { eventsOf, nextEvent, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager, EAGER_RESTART, run, type SpecOptions } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { codesOf, failureOf } from '../support/outcomes.ts';

/** Fast enough to shrink while a test looks. */
const IDLE_MS = 50;

function runPool(manager: PluginManager, options: SpecOptions = {}): Promise<PluginHandle> {
  return run(manager, 'pooled.mjs', {
    isolation: 'pool',
    threads: 3,
    restart: EAGER_RESTART,
    ...options,
  });
}

/** Runs so many calls at the same time; answers with the threads they were in. */
async function meeting(plugin: PluginHandle, count: number, key = 'here'): Promise<unknown[]> {
  const calls = Array.from({ length: count }, () => plugin.execute({ do: 'meet', key, count }));
  return Promise.all(calls);
}

/** Begins a call that waits until the key is set. */
async function waiting(manager: PluginManager, plugin: PluginHandle, key: string) {
  const answer = plugin.execute({ do: 'wait', key });
  answer.catch(() => undefined);
  await eventually(async () => {
    expect(await manager.context.state.get(`${key} is waited for`)).toBe(true);
  });
  return { answer, release: () => manager.context.state.set(key, true) };
}

describe('a pool', () => {
  it('is inside as many calls at once as it has threads, one in each', async () => {
    const plugin = await runPool(createManager());
    expect(new Set(await meeting(plugin, 3)).size).toBe(3);
  });

  it('is inside no more than that: the next waits in the mailbox', async () => {
    const manager = createManager();
    const plugin = await runPool(manager, { threads: 2 });
    const [first, second] = [
      await waiting(manager, plugin, 'a'),
      await waiting(manager, plugin, 'b'),
    ];
    const third = plugin.execute({ do: 'echo', value: 3 });
    expect((await plugin.stats())?.calls).toMatchObject({ inFlight: 2, queued: 1 });
    await first.release();
    expect(await third).toBe(3);
    await second.release();
    expect(await Promise.all([first.answer, second.answer])).toHaveLength(2);
  });

  it('serves over message ports alone where its spec says so', async () => {
    const plugin = await runPool(createManager(), { carrier: 'port', threads: 2 });
    expect(new Set(await meeting(plugin, 2)).size).toBe(2);
    const echoes = Array.from({ length: 50 }, (_, value) => plugin.execute({ do: 'echo', value }));
    expect(await Promise.all(echoes)).toEqual(echoes.map((_, value) => value));
  });

  it('grows while calls wait, and shrinks again when they are done', async () => {
    const plugin = await runPool(createManager(), {
      threads: { min: 1, max: 3, idleMs: IDLE_MS },
    });
    const threads = { min: 1, max: 3 };
    expect((await plugin.stats())?.threads).toEqual({ running: 1, ...threads });
    expect(new Set(await meeting(plugin, 3)).size).toBe(3);
    expect((await plugin.stats())?.threads).toEqual({ running: 3, ...threads });
    await eventually(async () => {
      expect((await plugin.stats())?.threads).toEqual({ running: 1, ...threads });
    });
    expect((await plugin.stats())?.lastCrash).toBeUndefined();
    expect(new Set(await meeting(plugin, 3, 'again')).size).toBe(3);
  });

  it('runs the hooks in each thread, in those that come later, too', async () => {
    const plugin = await runPool(createManager(), { threads: { min: 1, max: 3 } });
    await meeting(plugin, 3);
    const ran = await Promise.all([1, 2, 3].map(() => plugin.execute({ do: 'ran' })));
    expect(ran).toEqual([1, 2, 3].map(() => ['load', 'init', 'start']));
  });

  it('tells health and stats while all its threads are busy, and no other plugin has `threads`', async () => {
    const manager = createManager();
    const plugin = await runPool(manager, { threads: 1 });
    const call = await waiting(manager, plugin, 'go');
    expect(await plugin.health()).toMatchObject({ healthy: true, live: true, ready: true });
    expect(await plugin.stats()).toMatchObject({ calls: { inFlight: 1 } });
    await call.release();
    await call.answer;
    await run(manager, 'echo.mjs', { isolation: 'thread' });
    expect(await manager.stats('echo')).not.toHaveProperty('threads');
  });

  it('waits with all its threads while it is paused', async () => {
    const manager = createManager();
    const plugin = await runPool(manager);
    await plugin.pause();
    const met = meeting(plugin, 3);
    expect((await plugin.stats())?.calls).toMatchObject({ inFlight: 0, queued: 3 });
    await plugin.resume();
    expect(new Set(await met).size).toBe(3);
  });

  it('refuses to be diagnosed', async () => {
    const plugin = await runPool(createManager());
    expect(await failureOf(plugin.cpuProfile({ file: 'never.cpuprofile' }))).toMatchObject({
      code: 'INVALID_STATE',
    });
  });

  it('holds all its threads to their permissions', async () => {
    const plugin = await run(createManager(), 'trespasser.mjs', {
      isolation: 'pool',
      threads: 2,
      permissions: { fs: {} },
    });
    const read = { do: 'read', path: fileURLToPath(new URL('../unit', import.meta.url)) };
    const outcomes = await Promise.all([plugin.execute(read), plugin.execute(read)]);
    const denied: unknown = expect.objectContaining({ code: 'ERR_ACCESS_DENIED' });
    expect(outcomes).toEqual([denied, denied]);
  });

  it('does not load a plugin that carries its state over', async () => {
    const manager = createManager();
    const error = await failureOf(run(manager, 'stateful.mjs', { isolation: 'pool' }));
    expect(error).toMatchObject({ code: 'LOAD_FAILED', pluginId: 'stateful' });
    expect(error.message).toContain('snapshot and restore');
  });
});

describe('a thread of a pool that dies', () => {
  it('takes its own call along, and no other; the pool lives on', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const events = recordEvents(manager);
    const plugin = await runPool(manager);
    const bystander = await waiting(manager, plugin, 'go');
    expect(await failureOf(plugin.execute({ do: 'exit' }))).toMatchObject({
      code: 'PLUGIN_CRASHED',
      data: { reason: 'exit', exitCode: 7, generation: 1 },
    });
    await bystander.release();
    expect(typeof (await bystander.answer)).toBe('number');
    expect(new Set(await meeting(plugin, 3)).size).toBe(3);
    expect(eventsOf(events, 'crashed').map(({ crash }) => crash.reason)).toEqual(['exit']);
    expect(eventsOf(events, 'restarting')).toEqual([]);
    expect(await plugin.stats()).toMatchObject({
      generation: 1,
      calls: { crashed: 1, succeeded: 4 },
      lastCrash: { reason: 'exit', exitCode: 7 },
    });
    await neighbour.isUnharmed();
  });

  it('gives an idempotent call to another one, as often as it may', async () => {
    const plugin = await runPool(createManager());
    const error = await failureOf(plugin.execute({ do: 'exit' }, { idempotent: true }));
    expect(error.data).toMatchObject({ deliveries: 2, deadLetter: true });
    expect(plugin.deadLetters()).toHaveLength(1);
  });

  it('of a deaf call ends alone when the grace is over', async () => {
    const manager = createManager();
    const plugin = await runPool(manager);
    const bystander = await waiting(manager, plugin, 'go');
    const crashed = nextEvent(manager, 'crashed');
    expect(await failureOf(plugin.execute({ do: 'spin' }, { timeoutMs: 1_000 }))).toMatchObject({
      code: 'CALL_TIMEOUT',
      data: { phase: 'running' },
    });
    expect((await crashed).crash.reason).toBe('hang');
    await bystander.release();
    expect(typeof (await bystander.answer)).toBe('number');
  });

  it('because it held too much dies alone', async () => {
    const manager = createManager();
    const plugin = await runPool(manager, { threads: 2, limits: { memoryMb: 48 } });
    const bystander = await waiting(manager, plugin, 'go');
    const error = await failureOf(plugin.execute({ do: 'hoard' }));
    expect(error).toMatchObject({ code: 'PLUGIN_CRASHED', data: { reason: 'memory-limit' } });
    await bystander.release();
    expect(typeof (await bystander.answer)).toBe('number');
  });

  it('leaves its locks, and no others', async () => {
    const manager = createManager();
    const plugin = await runPool(manager);
    const held = plugin.execute({ do: 'lock and wait', name: 'kept', key: 'go' });
    await eventually(async () => {
      expect(await manager.context.state.get('go is waited for')).toBe(true);
    });
    await failureOf(plugin.execute({ do: 'lock and exit', name: 'left' }));
    expect(await manager.context.lock('left', () => 'free')).toBe('free');
    const kept = manager.context.lock('kept', () => 'free', { timeoutMs: 50 });
    expect(await failureOf(kept)).toMatchObject({ code: 'CALL_TIMEOUT' });
    await manager.context.state.set('go', true);
    await held;
  });

  it('too often ends the pool, and says so', async () => {
    const manager = createManager();
    const gaveUp = nextEvent(manager, 'gave-up');
    const plugin = await runPool(manager, { threads: 1, restart: { intensity: 2 } });
    const calls = [1, 2, 3, 4].map(() => plugin.execute({ do: 'exit' }));
    expect(await codesOf(calls)).toEqual(Array(4).fill('PLUGIN_CRASHED'));
    expect((await gaveUp).why).toBe('too-often');
    expect(plugin.state).toBe('failed');
    await plugin.restart();
    expect(await plugin.execute({ do: 'echo', value: 'back' })).toBe('back');
  });

  it('at random lets each of a thousand calls settle once', async () => {
    const manager = createManager();
    const plugin = await runPool(manager, { threads: { min: 1, max: 3, idleMs: 0 } });
    const commands = Array.from({ length: 1_000 }, (_, value) =>
      value % 50 === 49 ? { do: 'exit' } : { do: 'echo', value },
    );
    const settled = commands.map(() => 0);
    const count = (at: number) => () => {
      settled[at] = (settled[at] ?? 0) + 1;
    };
    const calls = commands.map((command, at) => {
      const call = plugin.execute(command);
      call.then(count(at), count(at));
      return call;
    });
    expect(await codesOf(calls)).toEqual(
      commands.map((command) => (command.do === 'exit' ? 'PLUGIN_CRASHED' : 'ok')),
    );
    expect(settled).toEqual(commands.map(() => 1));
    expect((await plugin.stats())?.calls).toMatchObject({
      started: 1_000,
      succeeded: 980,
      crashed: 20,
      inFlight: 0,
      queued: 0,
    });
  });
});

describe('the end of a pool', () => {
  it('leaves no thread, also where one spins', async () => {
    const manager = createManager();
    const plugin = await runPool(manager, { limits: { stopTimeoutMs: 200 } });
    const spinning = codesOf([plugin.execute({ do: 'spin' })]);
    await meeting(plugin, 2);
    const { problems } = await manager.close();
    expect(problems).toEqual([
      { id: 'pooled', error: expect.objectContaining({ code: 'STOP_TIMEOUT' }) as unknown },
    ]);
    expect(await spinning).toEqual(['PLUGIN_STOPPED']);
    expect(plugin.state).toBe('unloaded');
  });

  it('by unload settles what runs and what waits', async () => {
    const manager = createManager();
    const plugin = await runPool(manager, { threads: 1, limits: { stopTimeoutMs: 200 } });
    const begun = await waiting(manager, plugin, 'go');
    const queued = plugin.execute({ do: 'echo' });
    const codes = codesOf([begun.answer, queued]);
    await failureOf(plugin.unload());
    expect(await codes).toEqual(['PLUGIN_STOPPED', 'PLUGIN_STOPPED']);
  });
});
