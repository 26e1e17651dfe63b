/** One plugin's way through its states: DESIGN §5. */
import { describe, expect, it } from 'vitest';

import { eventsOf, recordEvents, recordStates } from '../support/events.ts';
import { createManager, run, specOf } from '../support/manager.ts';
import { codesOf, failureOf } from '../support/outcomes.ts';

const VERBS = ['load', 'init', 'start', 'pause', 'resume', 'stop', 'unload', 'restart'] as const;

describe('the whole path', () => {
  it('is told state by state, in order, none missing, and runs each hook once', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await manager.register(specOf('hooks.mjs'));
    for (const verb of ['load', 'init', 'start', 'pause', 'resume', 'stop', 'unload'] as const) {
      await plugin[verb]();
    }

    const changes = eventsOf(events, 'state-changed');
    expect(changes.map(({ from, to }) => `${from} → ${to}`)).toEqual([
      'unloaded → loading',
      'loading → loaded',
      'loaded → initialized',
      'initialized → running',
      'running → paused',
      'paused → running',
      'running → initialized',
      'initialized → unloaded',
    ]);
    for (const { id, generation, at } of changes.slice(1)) {
      expect({ id, generation }).toEqual({ id: 'hooks', generation: 1 });
      expect(Math.abs(Date.now() - at)).toBeLessThan(20_000);
    }
    expect(await manager.context.state.get('hooks')).toEqual(
      ['load', 'init', 'start', 'pause', 'resume', 'stop', 'unload'].map((hook) => `hooks ${hook}`),
    );
  });

  it('shows each state while the plugin is in it', async () => {
    const manager = createManager();
    const plugin = await manager.register(specOf('echo.mjs'));
    const seen = [plugin.state];
    const loading = plugin.load();
    await Promise.resolve();
    seen.push(plugin.state);
    await loading;
    seen.push(plugin.state);
    await plugin.init();
    seen.push(plugin.state);
    await plugin.start();
    seen.push(plugin.state);
    await plugin.pause();
    seen.push(plugin.state);
    await plugin.stop();
    seen.push(plugin.state);
    await plugin.unload();
    seen.push(plugin.state);
    expect(seen).toEqual([
      'unloaded',
      'loading',
      'loaded',
      'initialized',
      'running',
      'paused',
      'initialized',
      'unloaded',
    ]);
  });

  it('goes from stopped to started again in the same thread', async () => {
    const manager = createManager();
    const plugin = await run<undefined, { ran: string[]; generation: number }>(
      manager,
      'hooks.mjs',
    );
    await plugin.stop();
    await plugin.start();
    expect(await plugin.execute(undefined)).toEqual({
      ran: ['load', 'init', 'start', 'stop', 'start'],
      generation: 1,
    });
  });

  it('begins a new generation after unload', async () => {
    const manager = createManager();
    const plugin = await run<undefined, { ran: string[]; generation: number }>(
      manager,
      'hooks.mjs',
    );
    await plugin.unload();
    await plugin.load();
    await plugin.init();
    await plugin.start();
    expect(await plugin.execute(undefined)).toEqual({
      ran: ['load', 'init', 'start'],
      generation: 2,
    });
  });

  it('restarts with all hooks, in a new generation', async () => {
    const manager = createManager();
    const plugin = await run<undefined, { generation: number }>(manager, 'hooks.mjs');
    const states = recordStates(manager, 'hooks');
    await plugin.restart();
    expect(states).toEqual(['running → restarting', 'restarting → running']);
    expect(await plugin.execute(undefined)).toMatchObject({ generation: 2 });
    expect(await manager.context.state.get('hooks')).toEqual(
      ['load', 'init', 'start', 'stop', 'unload', 'load', 'init', 'start'].map((h) => `hooks ${h}`),
    );
    expect(await plugin.stats()).toMatchObject({ restarts: 1, generation: 2 });
  });
});

describe('a verb that the state does not allow', () => {
  it.each([
    ['unloaded', [], ['init', 'start', 'pause', 'resume', 'stop', 'restart']],
    ['loaded', ['load'], ['start', 'pause', 'resume', 'stop', 'restart']],
    ['initialized', ['load', 'init'], ['pause', 'resume', 'restart']],
    ['paused', ['load', 'init', 'start', 'pause'], ['start']],
  ] as const)('in %s names both states', async (state, path, refused) => {
    const manager = createManager();
    const plugin = await manager.register(specOf('echo.mjs'));
    for (const verb of path) await plugin[verb]();
    const states = recordStates(manager, 'echo');
    const needs = {
      init: 'loaded',
      start: 'initialized',
      pause: 'running',
      resume: 'paused',
      stop: 'running',
      restart: 'running',
    };
    for (const verb of refused) {
      const error = await failureOf(plugin[verb]());
      expect(error).toMatchObject({ code: 'INVALID_STATE', pluginId: 'echo' });
      expect(error.message).toContain(state);
      expect(error.message).toContain(needs[verb]);
    }
    expect(plugin.state).toBe(state);
    expect(states).toEqual([]);
  });

  it('in failed is any but restart and unload', async () => {
    const manager = createManager();
    const plugin = await manager.register(
      specOf('failing-hook.mjs', { config: { hook: 'init', how: 'throw' } }),
    );
    await plugin.load();
    expect(await failureOf(plugin.init())).toMatchObject({ code: 'INIT_FAILED' });
    for (const verb of ['load', 'init', 'start', 'pause', 'resume', 'stop'] as const) {
      const error = await failureOf(plugin[verb]());
      expect(error).toMatchObject({ code: 'INVALID_STATE', pluginId: 'failing-hook' });
      expect(error.message).toMatch(/failed/);
    }
    expect(plugin.state).toBe('failed');
    await plugin.unload();
    expect(plugin.state).toBe('unloaded');
  });

  it('names a plugin that is not registered', async () => {
    const manager = createManager();
    for (const verb of VERBS) {
      const error = await failureOf(manager[verb]('nobody'));
      expect(error).toMatchObject({ code: 'NOT_FOUND', pluginId: 'nobody' });
    }
  });
});

describe('a verb whose goal is reached', () => {
  it('does nothing', async () => {
    const manager = createManager();
    const plugin = await manager.register(specOf('hooks.mjs'));
    await plugin.unload();
    await plugin.load();
    await plugin.load();
    await plugin.init();
    await plugin.init();
    await plugin.load();
    await plugin.start();
    const states = recordStates(manager, 'hooks');
    for (const verb of ['load', 'init', 'start', 'resume'] as const) await plugin[verb]();
    expect(states).toEqual([]);
    await plugin.pause();
    await plugin.pause();
    await plugin.stop();
    await plugin.stop();
    expect(states).toEqual(['running → paused', 'paused → initialized']);
    const hooks = await manager.context.state.get<string[]>('hooks');
    expect(hooks).toEqual(['load', 'init', 'start', 'pause', 'stop'].map((h) => `hooks ${h}`));
  });
});

describe('callers at the same time', () => {
  it('of the same verb share its outcome and its hook', async () => {
    const manager = createManager();
    const plugin = await manager.register(specOf('hooks.mjs'));
    await Promise.all([plugin.load(), plugin.load(), plugin.load()]);
    await Promise.all([plugin.init(), plugin.init()]);
    await Promise.all([plugin.start(), plugin.start()]);
    expect(await manager.context.state.get('hooks')).toEqual(
      ['load', 'init', 'start'].map((hook) => `hooks ${hook}`),
    );
  });

  it('of the same verb share its error', async () => {
    const manager = createManager();
    const plugin = await manager.register(
      specOf('failing-hook.mjs', { config: { hook: 'load', how: 'throw' } }),
    );
    const errors = await Promise.all([failureOf(plugin.load()), failureOf(plugin.load())]);
    expect(errors[0]).toMatchObject({ code: 'LOAD_FAILED' });
    expect(errors[1]).toBe(errors[0]);
  });

  it('of different verbs queue up in the order they came', async () => {
    const manager = createManager();
    const plugin = await manager.register(specOf('hooks.mjs'));
    const verbs = ['load', 'init', 'start', 'pause', 'resume', 'stop', 'start', 'unload'] as const;
    expect(await codesOf(verbs.map((verb) => plugin[verb]()))).toEqual(verbs.map(() => 'ok'));
    expect(await manager.context.state.get('hooks')).toEqual(
      ['load', 'init', 'start', 'pause', 'resume', 'stop', 'start', 'stop', 'unload'].map(
        (hook) => `hooks ${hook}`,
      ),
    );
    expect(plugin.state).toBe('unloaded');
  });
});
