/** Verbs for all plugins: order, dependencies, and what one failure does to the rest. DESIGN §3, §5. */
import type { PluginManager, PluginSpec } from 'troupe';
import { describe, expect, it } from 'vitest';

import { createManager, specOf } from '../support/manager.ts';
import { failureOf, failuresOf } from '../support/outcomes.ts';

/** Registers `hooks.mjs` once for each, in the order given. */
async function registerAll(
  manager: PluginManager,
  specs: readonly (Partial<PluginSpec> & { id: string })[],
): Promise<void> {
  for (const spec of specs) await manager.register(specOf('hooks.mjs', spec));
}

/** Which plugin ran that hook when. */
async function orderOf(manager: PluginManager, hook: string): Promise<string[]> {
  const all = (await manager.context.state.get<string[]>('hooks')) ?? [];
  return all.filter((line) => line.endsWith(` ${hook}`)).map((line) => line.split(' ')[0] ?? '');
}

function statesOf(manager: PluginManager): Record<string, string> {
  return Object.fromEntries(manager.listPlugins().map(({ id, state }) => [id, state]));
}

const CHAIN = [
  { id: 'top', dependencies: ['middle'] },
  { id: 'middle', dependencies: ['bottom'] },
  { id: 'bottom' },
];

describe('the order', () => {
  it('is dependencies first on the way up, the reverse on the way down', async () => {
    const manager = createManager();
    await registerAll(manager, CHAIN);
    await manager.loadAll();
    await manager.initAll();
    await manager.startAll();
    await manager.pauseAll();
    expect(statesOf(manager)).toEqual({ top: 'paused', middle: 'paused', bottom: 'paused' });
    await manager.resumeAll();
    await manager.stopAll();
    expect(statesOf(manager)).toMatchObject({ top: 'initialized', bottom: 'initialized' });
    await manager.unloadAll();
    expect(statesOf(manager)).toMatchObject({ top: 'unloaded', bottom: 'unloaded' });

    const up = ['bottom', 'middle', 'top'];
    for (const hook of ['load', 'init', 'start', 'resume']) {
      expect([hook, await orderOf(manager, hook)]).toEqual([hook, up]);
    }
    for (const hook of ['stop', 'unload']) {
      expect([hook, await orderOf(manager, hook)]).toEqual([hook, up.toReversed()]);
    }
  });

  it('is higher priority first among plugins that need nothing of each other', async () => {
    const manager = createManager();
    await registerAll(manager, [
      { id: 'low', priority: -1 },
      { id: 'usual' },
      { id: 'high', priority: 10 },
    ]);
    await manager.loadAll();
    await manager.initAll();
    await manager.startAll();
    for (const hook of ['load', 'init', 'start']) {
      expect(await orderOf(manager, hook)).toEqual(['high', 'usual', 'low']);
    }
    await manager.stopAll();
    expect(await orderOf(manager, 'stop')).toEqual(['low', 'usual', 'high']);
  });

  it('is dependencies first even where their priority is lower', async () => {
    const manager = createManager();
    await registerAll(manager, [
      { id: 'eager', priority: 10, dependencies: ['base'] },
      { id: 'base', priority: -10 },
      { id: 'other', priority: 5 },
    ]);
    await manager.up();
    expect(await orderOf(manager, 'start')).toEqual(['base', 'eager', 'other']);
  });

  it('brings independent plugins up in parallel', async () => {
    const manager = createManager();
    // each waits in load for the other: one after the other would never end
    for (const [id, other] of [
      ['left', 'right'],
      ['right', 'left'],
    ] as const) {
      await manager.register(specOf('meeting.mjs', { id, config: { other } }));
    }
    await manager.up();
    expect(statesOf(manager)).toEqual({ left: 'running', right: 'running' });
  });
});

describe('one that fails', () => {
  it('is named, and does not keep the others from coming up', async () => {
    const manager = createManager();
    await manager.register(
      specOf('failing-hook.mjs', { id: 'bad', config: { hook: 'init', how: 'throw' } }),
    );
    await registerAll(manager, [
      { id: 'good' },
      { id: 'needs-bad', dependencies: ['bad'] },
      { id: 'needs-it-too', dependencies: ['needs-bad'] },
      { id: 'can-do-without', dependencies: [{ id: 'bad', optional: true }] },
    ]);
    const errors = await failuresOf(manager.up());
    expect(errors.map(({ pluginId, code }) => [pluginId, code])).toEqual([
      ['bad', 'INIT_FAILED'],
      ['needs-bad', 'DEPENDENCY_MISSING'],
      ['needs-it-too', 'DEPENDENCY_MISSING'],
    ]);
    expect(errors[1]?.message).toContain('bad');
    expect(statesOf(manager)).toMatchObject({
      'bad': 'failed',
      'good': 'running',
      'can-do-without': 'running',
    });
    expect(manager.state('needs-bad')).not.toBe('running');
  });

  it('is named by the verb that failed, and its dependents are refused by the next', async () => {
    const manager = createManager();
    await manager.register(
      specOf('failing-hook.mjs', { id: 'bad', config: { hook: 'start', how: 'throw' } }),
    );
    await registerAll(manager, [{ id: 'needs-bad', dependencies: ['bad'] }, { id: 'good' }]);
    await manager.loadAll();
    await manager.initAll();
    const errors = await failuresOf(manager.startAll());
    expect(errors.map(({ pluginId }) => pluginId)).toEqual(['bad', 'needs-bad']);
    expect(statesOf(manager)).toEqual({
      'bad': 'failed',
      'needs-bad': 'initialized',
      'good': 'running',
    });
  });

  it('in stopAll is named, and the others stop all the same', async () => {
    const manager = createManager();
    await manager.register(
      specOf('failing-hook.mjs', { id: 'bad', config: { hook: 'stop', how: 'throw' } }),
    );
    await registerAll(manager, [{ id: 'good' }]);
    await manager.up();
    const errors = await failuresOf(manager.stopAll());
    expect(errors.map(({ pluginId }) => pluginId)).toEqual(['bad']);
    expect(manager.state('good')).toBe('initialized');
    expect(manager.state('bad')).not.toBe('running');
  });

  it('in the message of the AggregateError is named too', async () => {
    const manager = createManager();
    await manager.register(
      specOf('failing-hook.mjs', { id: 'bad', config: { hook: 'load', how: 'throw' } }),
    );
    await expect(manager.loadAll()).rejects.toThrow(/bad.*no load today/);
  });
});

describe('enabled and autoStart', () => {
  it('leave a plugin unloaded, or initialized, until it is asked for by name', async () => {
    const manager = createManager();
    await registerAll(manager, [
      { id: 'disabled', enabled: false },
      { id: 'by-hand', autoStart: false },
      { id: 'usual' },
    ]);
    await manager.up();
    expect(statesOf(manager)).toEqual({
      'disabled': 'unloaded',
      'by-hand': 'initialized',
      'usual': 'running',
    });
    await manager.loadAll();
    await manager.initAll();
    await manager.startAll();
    expect(manager.state('disabled')).toBe('unloaded');
    expect(manager.state('by-hand')).toBe('initialized');
    await manager.start('by-hand');
    await manager.load('disabled');
    await manager.init('disabled');
    await manager.start('disabled');
    expect(manager.state('disabled')).toBe('running');
  });
});

describe('the manager', () => {
  it('refuses to register or load after close, and says so', async () => {
    const manager = createManager();
    await registerAll(manager, CHAIN);
    await manager.up();
    expect(await manager.close()).toEqual({ clean: true, problems: [] });
    expect(await failureOf(manager.load('top'))).toMatchObject({ code: 'INVALID_STATE' });
    expect(await failureOf(manager.up())).toMatchObject({ code: 'INVALID_STATE' });
    expect(await failureOf(manager.register(specOf('echo.mjs')))).toMatchObject({
      code: 'INVALID_STATE',
    });
    expect(await failureOf(manager.execute('top'))).toMatchObject({ code: 'NOT_RUNNING' });
  });
});
