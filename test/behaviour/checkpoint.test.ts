/** A computation stands still in its middle, and goes on from there. DESIGN §4, §5. */
import process from 'node:process';

import type { PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventually } from '../support/eventually.ts';
import { createManager, run, runAssistant } from '../support/manager.ts';
import { codesOf, failureOf, later } from '../support/outcomes.ts';

/** What ends its thread where it is slow to leave a checkpoint is not what these tests are about. */
const limits = { stopTimeoutMs: 25_000, graceMs: 60_000 };

/** A while, measured in work: a neighbour answers that many calls. */
async function meanwhile(manager: PluginManager, calls = 300): Promise<void> {
  if (!manager.listPlugins().some(({ id }) => id === 'clock')) {
    await run(manager, 'echo.mjs', { id: 'clock' });
  }
  for (let i = 0; i < calls; i++) await manager.execute('clock', i);
}

describe('a computation that calls checkpoint()', () => {
  it('stands still in its middle and goes on from there', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits });
    const board = await boardOf(manager);
    const call = plugin.execute({ do: 'count-until-told' });
    await board.isTurning();
    await plugin.pause();
    const stoodAt = board.turns();
    await meanwhile(manager);
    expect(board.turns()).toBe(stoodAt);
    await plugin.resume();
    await board.isTurning();
    board.tell();
    // the same computation made all turns that were ever made
    const turns = await call;
    expect(turns).toBeGreaterThan(stoodAt);
    expect(turns).toBe(board.turns());
  });

  it('uses no processor meanwhile', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits });
    const board = await boardOf(manager);
    const controller = new AbortController();
    const call = codesOf([plugin.execute({ do: 'count' }, { signal: controller.signal })]);
    await board.isTurning();
    await plugin.pause();
    const before = process.cpuUsage();
    const start = performance.now();
    // the only time that is waited for: processor time has to be measured over some
    await new Promise((resolve) => setTimeout(resolve, 400));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000 / (performance.now() - start)).toBeLessThan(0.5);
    await plugin.resume();
    await board.isTurning();
    controller.abort();
    expect(await call).toEqual(['CALL_ABORTED']);
  });

  it('can be paused again and again', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits });
    const board = await boardOf(manager);
    const controller = new AbortController();
    const call = codesOf([plugin.execute({ do: 'count' }, { signal: controller.signal })]);
    for (let i = 0; i < 25; i++) {
      await board.isTurning();
      await plugin.pause();
      const stoodAt = board.turns();
      await meanwhile(manager, 3);
      expect(board.turns()).toBe(stoodAt);
      await plugin.resume();
    }
    controller.abort();
    expect(await call).toEqual(['CALL_ABORTED']);
    expect(await plugin.stats()).toMatchObject({ generation: 1 });
  });

  it('that is over its deadline ends while parked, and keeps its thread', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits });
    const board = await boardOf(manager);
    // enough to begin and to be parked
    const call = failureOf(plugin.execute({ do: 'count' }, { timeoutMs: 5_000 }));
    await board.isTurning();
    await plugin.pause();
    expect(await call).toMatchObject({ code: 'CALL_TIMEOUT', data: { phase: 'running' } });
    expect(plugin.state).toBe('paused');
    await eventually(async () => {
      expect(await manager.context.state.get('aborted')).toBe('AbortError');
    });
    const waiting = plugin.execute({ do: 'generation' });
    await meanwhile(manager);
    expect(await plugin.stats()).toMatchObject({ state: 'paused', calls: { succeeded: 0 } });
    await plugin.resume();
    expect(await waiting).toBe(1);
  });

  it('that is aborted ends while parked', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits });
    const board = await boardOf(manager);
    const controller = new AbortController();
    const call = failureOf(plugin.execute({ do: 'count' }, { signal: controller.signal }));
    await board.isTurning();
    await plugin.pause();
    controller.abort();
    expect(await call).toMatchObject({ code: 'CALL_ABORTED' });
    await plugin.resume();
    expect(await plugin.execute({ do: 'generation' })).toBe(1);
  });

  it.each(['stop', 'unload'] as const)('while parked does not hold up %s', async (verb) => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits });
    const board = await boardOf(manager);
    const call = later(plugin.execute({ do: 'count' }));
    await board.isTurning();
    await plugin.pause();
    // one that does not leave by itself is ended, and the verb rejects
    await plugin[verb]();
    expect(await codesOf([call])).toEqual(['PLUGIN_STOPPED']);
    expect(plugin.state).toBe(verb === 'stop' ? 'initialized' : 'unloaded');
  });

  it('is known to stand still: health and stats answer at once', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits });
    const board = await boardOf(manager);
    const call = codesOf([plugin.execute({ do: 'count' })]);
    await board.isTurning();
    await plugin.pause();
    expect(await plugin.health()).toMatchObject({
      healthy: true,
      live: true,
      ready: false,
      state: 'paused',
    });
    expect(await plugin.stats()).toMatchObject({ state: 'paused', calls: { inFlight: 1 } });
    await plugin.unload();
    await call;
  });
});

describe('a loop without checkpoint', () => {
  it('cannot be paused: the verb rejects in time, and the plugin goes on running', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits: { hookTimeoutMs: 200 } });
    const board = await boardOf(manager);
    const call = plugin.execute({ do: 'spin-until-told' });
    const waiting = plugin.execute({ do: 'generation' });
    await board.hasBegun(1);
    const error = await failureOf(plugin.pause());
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', pluginId: 'assistant' });
    expect(error.message).toContain('checkpoint');
    expect(plugin.state).toBe('running');
    board.tell();
    expect(await Promise.all([call, waiting])).toEqual(['told', 1]);
  });
});
