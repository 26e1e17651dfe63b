/** The end: nothing is left, nothing hangs, and the report says what went wrong. DESIGN §3; FAILURES 14, 28, 29. */
import { PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { recordStates } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager, run, runAssistant, specOf } from '../support/manager.ts';
import { codesOf, failureOf, later, readAll } from '../support/outcomes.ts';
import { runProgram } from '../support/program.ts';
import { soon } from '../support/soon.ts';
import { wordsOf } from '../support/words.ts';

interface Told {
  logs: string[];
  report?: unknown;
  handles?: string[];
}

describe('a program', () => {
  it('that used everything ends by itself after close, with no handle left', async () => {
    const { exitCode, stdout, stderr } = await runProgram('whole-program.mjs');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const { report, handles } = JSON.parse(stdout) as Told;
    expect({ report, handles }).toEqual({ report: { clean: true, problems: [] }, handles: [] });
  });

  it('hears what a plugin says in the first moments of a process', async () => {
    const { stdout } = await runProgram('whole-program.mjs', 'abandon');
    expect((JSON.parse(stdout) as Told).logs).toEqual(['said in init']);
  });

  it('that exits without close is not held up', async () => {
    const { exitCode, stderr } = await runProgram('whole-program.mjs', 'abandon');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});

describe('close', () => {
  it('stops and unloads all, dependents first', async () => {
    const manager = createManager();
    await manager.register(specOf('hooks.mjs', { id: 'base' }));
    await manager.register(specOf('hooks.mjs', { id: 'user', dependencies: ['base'] }));
    await manager.up();
    const states = [recordStates(manager, 'base'), recordStates(manager, 'user')];
    expect(await manager.close()).toEqual({ clean: true, problems: [] });
    for (const changes of states) expect(changes.at(-1)).toMatch(/→ unloaded$/);
    const hooks = await manager.context.state.get<string[]>('hooks');
    expect(hooks?.slice(-4)).toEqual(['user stop', 'user unload', 'base stop', 'base unload']);
  });

  it('called twice, or at once, is one', async () => {
    const manager = createManager();
    await run(manager, 'echo.mjs');
    const [one, two] = await Promise.all([manager.close(), manager.close()]);
    expect(two).toBe(one);
    expect(await manager.close()).toBe(one);
  });

  it('lets begun calls end and settles all the others', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const begun = plugin.execute({ do: 'hold' });
    const waiting = later(plugin.execute({ do: 'echo' }));
    await board.hasBegun(1);
    const closed = manager.close();
    expect(await codesOf([waiting])).toEqual(['PLUGIN_STOPPED']);
    await board.release('ended');
    expect(await begun).toBe('ended');
    expect(await closed).toEqual({ clean: true, problems: [] });
  });

  it('ends a stream that is being read', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'streamer.mjs', { limits: { stopTimeoutMs: 500 } });
    const words = await wordsOf(manager, 'streamer', 2);
    const reading = readAll(plugin.stream({ way: 'stalling', count: 3 }));
    await eventually(() => {
      expect(words.load(0)).toBe(3);
    });
    await manager.close();
    const { chunks, error } = await soon(reading);
    expect(chunks).toEqual([0, 1, 2]);
    expect(error).toMatchObject({ code: 'PLUGIN_STOPPED', pluginId: 'streamer' });
  });

  it('names a plugin that will not stop, and takes no longer than its limits', async () => {
    const manager = createManager();
    const limits = { stopTimeoutMs: 500 };
    const stubborn = await runAssistant(manager, { id: 'stubborn', limits });
    await run(manager, 'failing-hook.mjs', {
      id: 'hanging',
      config: { hook: 'unload', how: 'hang' },
      limits,
    });
    await run(manager, 'failing-hook.mjs', {
      id: 'throwing',
      config: { hook: 'stop', how: 'throw' },
    });
    await run(manager, 'echo.mjs', { id: 'well-behaved' });
    const board = await boardOf(manager);
    const call = later(stubborn.execute({ do: 'spin' }));
    await board.isTurning();

    const start = performance.now();
    const { clean, problems } = await manager.close();
    expect(performance.now() - start).toBeLessThan(4_000);
    expect(clean).toBe(false);
    expect(problems.map(({ id, error }) => [id, (error as { code?: string }).code])).toEqual([
      ['stubborn', 'STOP_TIMEOUT'],
      ['hanging', 'STOP_TIMEOUT'],
      ['throwing', expect.any(String) as unknown],
    ]);
    expect(problems[2]?.error.message).toContain('no stop today');
    expect(await failureOf(call)).toMatchObject({ code: 'PLUGIN_STOPPED', pluginId: 'stubborn' });
    for (const { state } of manager.listPlugins()) expect(state).toBe('unloaded');
    const { turns } = board;
    const stoodAt = turns();
    await new Promise((resolve) => setImmediate(resolve));
    expect(turns()).toBe(stoodAt);
  });

  it('waits for a verb that is under way', async () => {
    const manager = createManager();
    const plugin = await manager.register(specOf('hooks.mjs'));
    const loaded = plugin.load();
    expect(await manager.close()).toEqual({ clean: true, problems: [] });
    expect(await codesOf([loaded])).toEqual(['ok']);
    expect(plugin.state).toBe('unloaded');
  });

  it('leaves what is waited for in main with an answer: lock, watch, events', async () => {
    const manager = createManager();
    const { state, lock } = manager.context;
    const watching = (async () => {
      for await (const _ of state.watch('k'));
      return 'ended';
    })();
    const listening = (async () => {
      for await (const _ of manager.events());
      return 'ended';
    })();
    const inside = lock('door', () => 'mine');
    await manager.close();
    expect(await soon(Promise.all([watching, listening, inside]), 3_000)).toEqual([
      'ended',
      'ended',
      'mine',
    ]);
  });
});

describe('await using', () => {
  it('closes the manager at the end of the block', async () => {
    const states: string[] = [];
    {
      await using manager = new PluginManager('scoped', { logs: 'silent' });
      manager.on('state-changed', ({ to }) => states.push(to));
      await manager.register(specOf('echo.mjs'));
      await manager.up();
      expect(await manager.execute('echo', 'inside')).toBe('inside');
    }
    expect(states.at(-1)).toBe('unloaded');
  });
});
