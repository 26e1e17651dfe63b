/** A plugin that throws, hangs or exits in each of its hooks. DESIGN §5, §10; FAILURES 1, 4, 18. */
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { AFTER_A_CRASH } from '../support/isolation.ts';
import { createManager, run, runAssistant, specOf } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { codesOf, failureFrom, failureOf } from '../support/outcomes.ts';

/** For what hangs and for nothing else: whoever only has a slow thread would be over it, too. */
const TIGHT = { hookTimeoutMs: 300, stopTimeoutMs: 300 };
/** For a hook that hangs where others of the same plugin must not be over their limit. */
const PATIENT = { hookTimeoutMs: 5_000 };
const ON_THE_WAY_UP = ['load', 'init', 'start'] as const;
const FAILED = { load: 'LOAD_FAILED', init: 'INIT_FAILED', start: 'START_FAILED' } as const;

/** What the verb rejects with. */
const expected = (hook: (typeof ON_THE_WAY_UP)[number]): Record<string, object> => ({
  throw: {
    code: FAILED[hook],
    message: expect.stringContaining(`no ${hook} today`) as unknown,
    cause: { name: 'RangeError', code: 'E_HOOK' },
  },
  hang: { code: FAILED[hook], data: { timedOut: true } },
  exit: {
    code: hook === 'load' ? 'LOAD_FAILED' : 'PLUGIN_CRASHED',
    data: { reason: 'exit', exitCode: 3 },
  },
});

const limitsOf = (how: 'throw' | 'hang' | 'exit', hanging: object = TIGHT): object =>
  how === 'hang' ? hanging : {};

describe.each(ON_THE_WAY_UP)('in %s', (hook) => {
  const before = ON_THE_WAY_UP.slice(0, ON_THE_WAY_UP.indexOf(hook));

  it.each(['throw', 'hang', 'exit'] as const)('a plugin that does %s fails', async (how) => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await manager.register(
      specOf('failing-hook.mjs', { id: 'bad', config: { hook, how }, limits: limitsOf(how) }),
    );
    for (const verb of before) await plugin[verb]();
    const error = await failureOf(plugin[hook]());
    expect(error.pluginId).toBe('bad');
    expect(error).toMatchObject(expected(hook)[how] ?? {});
    expect(plugin.state).toBe('failed');
    expect(await failureOf(plugin.execute('?'))).toMatchObject({ code: 'NOT_RUNNING' });
    await plugin.unload();
    expect(plugin.state).toBe('unloaded');
    await neighbour.isUnharmed();
  });
});

describe('in pause', () => {
  it.each(['throw', 'hang'] as const)('a plugin that does %s goes on running', async (how) => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await run(manager, 'failing-hook.mjs', {
      config: { hook: 'pause', how, times: 1 },
      limits: limitsOf(how),
    });
    expect(await failureOf(plugin.pause())).toMatchObject({
      code: how === 'hang' ? 'CALL_TIMEOUT' : 'CALL_FAILED',
      pluginId: 'failing-hook',
      data: { hook: 'pause' },
    });
    expect(plugin.state).toBe('running');
    expect(await plugin.execute('still here')).toBe('still here');
    await neighbour.isUnharmed();
  });

  it('a plugin that exits is restarted, and what was waiting is served', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'failing-hook.mjs', {
      config: { hook: 'pause', how: 'exit', times: 1 },
    });
    const paused = plugin.pause();
    const waiting = plugin.execute('waited');
    expect(await codesOf([paused])).not.toEqual([expect.stringContaining('nothing happened')]);
    if (plugin.state === 'paused') await plugin.resume();
    expect(await waiting).toBe('waited');
    expect(await plugin.stats()).toMatchObject({ ...AFTER_A_CRASH, lastCrash: { reason: 'exit' } });
  });
});

describe('in resume', () => {
  it.each(['throw', 'hang'] as const)('a plugin that does %s stays paused', async (how) => {
    const manager = createManager();
    const plugin = await run(manager, 'failing-hook.mjs', {
      config: { hook: 'resume', how, times: 1 },
      limits: limitsOf(how, PATIENT),
    });
    await plugin.pause();
    const waiting = plugin.execute('waited');
    expect(await failureOf(plugin.resume())).toMatchObject({
      code: how === 'hang' ? 'CALL_TIMEOUT' : 'CALL_FAILED',
      pluginId: 'failing-hook',
      data: { hook: 'resume' },
    });
    expect(plugin.state).toBe('paused');
    await plugin.resume();
    expect(plugin.state).toBe('running');
    expect(await waiting).toBe('waited');
  });
});

describe('in stop', () => {
  it('a plugin that throws has stopped all the same, and says why', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'failing-hook.mjs', {
      config: { hook: 'stop', how: 'throw' },
    });
    const error = await failureOf(plugin.stop());
    expect(error.pluginId).toBe('failing-hook');
    expect(error.message).toContain('no stop today');
    expect(plugin.state).toBe('initialized');
  });

  it('a plugin that hangs is ended, and the error says so', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await run(manager, 'failing-hook.mjs', {
      config: { hook: 'stop', how: 'hang' },
      limits: TIGHT,
    });
    const error = await failureOf(plugin.stop());
    expect(error).toMatchObject({ code: 'STOP_TIMEOUT', pluginId: 'failing-hook' });
    expect(error.message).toContain('ended');
    expect(plugin.state).toBe('unloaded');
    await plugin.load();
    await plugin.init();
    await plugin.start();
    expect(await plugin.execute('back')).toBe('back');
    await neighbour.isUnharmed();
  });

  it('a plugin that exits is told of as a crash', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'failing-hook.mjs', {
      config: { hook: 'stop', how: 'exit' },
    });
    const error = await failureOf(plugin.stop());
    expect(error).toMatchObject({
      code: 'PLUGIN_CRASHED',
      pluginId: 'failing-hook',
      data: { reason: 'exit', exitCode: 3 },
    });
  });

  it('a call that never ends is rejected when the thread is ended', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits: TIGHT });
    const board = await boardOf(manager);
    const call = plugin.execute({ do: 'spin' });
    await board.isTurning();
    expect(await failureOf(plugin.stop())).toMatchObject({ code: 'STOP_TIMEOUT' });
    expect(await failureOf(call)).toMatchObject({
      code: 'PLUGIN_STOPPED',
      pluginId: 'assistant',
    });
    const { turns } = board;
    expect(turns()).toBe(turns());
  });
});

describe('in unload', () => {
  it.each([
    ['throw', /CALL_FAILED/],
    ['hang', /STOP_TIMEOUT/],
    ['exit', /ok|PLUGIN_CRASHED/],
  ] as const)('a plugin that does %s is unloaded, and the error says why', async (how, code) => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await run(manager, 'failing-hook.mjs', {
      config: { hook: 'unload', how },
      limits: limitsOf(how),
    });
    expect((await codesOf([plugin.unload()]))[0]).toMatch(code);
    expect(plugin.state).toBe('unloaded');
    await plugin.load();
    expect(plugin.state).toBe('loaded');
    await neighbour.isUnharmed();
  });
});

describe('a call', () => {
  it('before start and after stop is refused with NOT_RUNNING and the state', async () => {
    const manager = createManager();
    const plugin = await manager.register(specOf('echo.mjs'));
    const refused = async (state: string): Promise<void> => {
      const error = await failureOf(plugin.execute('?'));
      expect(error).toMatchObject({ code: 'NOT_RUNNING', pluginId: 'echo', data: { state } });
      expect(error.message).toContain(state);
      const streamed = await failureFrom(async () => {
        for await (const _ of plugin.stream('?'));
      });
      expect(streamed).toMatchObject({ code: 'NOT_RUNNING' });
    };
    await refused('unloaded');
    await plugin.load();
    await refused('loaded');
    await plugin.init();
    await refused('initialized');
    await plugin.start();
    expect(await plugin.execute('!')).toBe('!');
    await plugin.stop();
    await refused('initialized');
  });

  it('to an unknown id is NOT_FOUND', async () => {
    const manager = createManager();
    expect(await failureOf(manager.execute('nobody'))).toMatchObject({
      code: 'NOT_FOUND',
      pluginId: 'nobody',
    });
    expect(
      await failureFrom(async () => {
        for await (const _ of manager.stream('nobody'));
      }),
    ).toMatchObject({ code: 'NOT_FOUND' });
  });
});
