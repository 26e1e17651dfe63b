/** The ways out: unload, stop, unregister; and out of failed. DESIGN §5. */
import { PluginError } from 'troupe';
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { recordStates } from '../support/events.ts';
import { createManager, run, runAssistant, specOf } from '../support/manager.ts';
import { codesOf, failureOf } from '../support/outcomes.ts';
import { soon } from '../support/soon.ts';

describe('unload', () => {
  it.each([
    ['unloaded', []],
    ['loaded', ['load']],
    ['initialized', ['load', 'init']],
    ['running', ['load', 'init', 'start']],
    ['paused', ['load', 'init', 'start', 'pause']],
  ] as const)('works from %s', async (state, path) => {
    const manager = createManager();
    const plugin = await manager.register(specOf('echo.mjs'));
    for (const verb of path) await plugin[verb]();
    expect(plugin.state).toBe(state);
    await plugin.unload();
    expect(plugin.state).toBe('unloaded');
    expect(await failureOf(plugin.execute('?'))).toMatchObject({ code: 'NOT_RUNNING' });
  });

  it('of a plugin that was never initialized does not pass through initialized', async () => {
    const manager = createManager();
    const plugin = await manager.register(specOf('echo.mjs'));
    await plugin.load();
    const states = recordStates(manager, 'echo');
    await plugin.unload();
    expect(states).toEqual(['loaded → unloaded']);
  });

  it('and stop reject the calls that wait, and let the begun one end', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const begun = plugin.execute({ do: 'hold' });
    const waiting = [plugin.execute({ do: 'echo' }), plugin.execute({ do: 'echo' })];
    await board.hasBegun(1);
    const stopped = plugin.stop();
    expect(await codesOf(waiting)).toEqual(['PLUGIN_STOPPED', 'PLUGIN_STOPPED']);
    expect(await failureOf(plugin.execute({ do: 'echo' }))).toMatchObject({ code: 'NOT_RUNNING' });
    await board.release('ended');
    expect(await begun).toBe('ended');
    await stopped;
    expect(plugin.state).toBe('initialized');
  });

  it.each([
    ['waits', { do: 'hold' }],
    ['computes', { do: 'spin-for', ms: 20 }],
  ])('and stop leave nothing of them at a plugin that %s', async (_, first) => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const begun = plugin.execute(first);
    const waiting = codesOf([plugin.execute({ do: 'echo' }), plugin.execute({ do: 'echo' })]);
    await board.hasBegun(1);
    const stopped = plugin.stop();
    await board.release();
    await Promise.all([begun, stopped]);
    expect(await waiting).toEqual(['PLUGIN_STOPPED', 'PLUGIN_STOPPED']);

    await plugin.start();
    const value = new Uint8Array([1, 2]);
    // moved buffers are sent only to a plugin that has nothing before them
    const moved = plugin.execute({ do: 'echo', value }, { transfer: [value.buffer] });
    expect(await soon(moved)).toEqual(new Uint8Array([1, 2]));
  });

  it('is part of unregister, after which the id is free', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'echo.mjs');
    await plugin.unregister();
    expect(() => manager.state('echo')).toThrow(PluginError);
    expect(await failureOf(manager.execute('echo'))).toMatchObject({ code: 'NOT_FOUND' });
    const again = await run(manager, 'echo.mjs');
    expect(await again.execute('again')).toBe('again');
  });
});

describe('failed', () => {
  it('goes on with restart once the reason is gone', async () => {
    const manager = createManager();
    const plugin = await manager.register(
      specOf('failing-hook.mjs', { config: { hook: 'start', how: 'throw', times: 1 } }),
    );
    await plugin.load();
    await plugin.init();
    expect(await failureOf(plugin.start())).toMatchObject({ code: 'START_FAILED' });
    await plugin.restart();
    expect(plugin.state).toBe('running');
    expect(await plugin.execute('well')).toBe('well');
  });
});
