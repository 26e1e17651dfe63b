/** Pause is real: nothing begins, and a computation stands still in its middle. DESIGN §4, §5. */

import type { PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { nextEvent, recordStates } from '../support/events.ts';
import { createManager, run, runAssistant } from '../support/manager.ts';
import { codesOf, failureOf, later } from '../support/outcomes.ts';

/** A while, measured in work: a neighbour answers that many calls. */
async function meanwhile(manager: PluginManager, calls = 300): Promise<void> {
  if (!manager.listPlugins().some(({ id }) => id === 'clock')) {
    await run(manager, 'echo.mjs', { id: 'clock' });
  }
  for (let i = 0; i < calls; i++) await manager.execute('clock', i);
}

describe('a paused plugin', () => {
  it('takes calls, begins none, and serves them in order when it is resumed', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    await plugin.pause();
    const names = ['a', 'b', 'c'];
    const calls = names.map((name) => plugin.execute({ do: 'begun', name }));
    await meanwhile(manager);
    expect(board.begun()).toBe(0);
    expect(await plugin.stats()).toMatchObject({ state: 'paused', calls: { queued: 3 } });
    await plugin.resume();
    await Promise.all(calls);
    expect(await manager.context.state.get('begun')).toEqual(names);
  });

  it('keeps calls that were sent before it was paused and had not begun', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const first = plugin.execute({ do: 'hold' });
    const waiting = ['a', 'b'].map((value) => plugin.execute({ do: 'echo', value }));
    await board.hasBegun(1);
    const paused = plugin.pause();
    await board.release();
    await first;
    await paused;
    await meanwhile(manager);
    expect(board.begun()).toBe(1);
    await plugin.resume();
    expect(await Promise.all(waiting)).toEqual(['a', 'b']);
  });

  it('is paused only once the call that runs has ended', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const call = plugin.execute({ do: 'hold' });
    await board.hasBegun(1);
    let settled = false;
    const paused = plugin.pause().then(() => (settled = true));
    await meanwhile(manager);
    expect([settled, plugin.state]).toEqual([false, 'running']);
    await board.release();
    expect(await call).toBe('released');
    await paused;
    expect(plugin.state).toBe('paused');
  });

  it('stays paused over a restart', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    await plugin.pause();
    const waiting = plugin.execute({ do: 'generation' });
    const states = recordStates(manager, 'assistant');
    await plugin.restart();
    expect(states).toEqual(['paused → restarting', 'restarting → paused']);
    await meanwhile(manager);
    expect(await plugin.stats()).toMatchObject({ calls: { queued: 1, succeeded: 0 } });
    await plugin.resume();
    expect(await waiting).toBe(2);
  });

  it('still expires the calls that wait for it', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    await plugin.pause();
    const error = await failureOf(plugin.execute({ do: 'echo' }, { timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', data: { phase: 'queued' } });
  });

  it('rejects what waits when it is stopped', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    await plugin.pause();
    const waiting = later(plugin.execute({ do: 'echo' }));
    await plugin.stop();
    expect(await codesOf([waiting])).toEqual(['PLUGIN_STOPPED']);
    await plugin.start();
    expect(await plugin.execute({ do: 'echo', value: 'anew' })).toBe('anew');
  });
});

describe('the hooks', () => {
  it('pause and resume run once for each, parked or not', async () => {
    const manager = createManager();
    const plugin = await run<object>(manager, 'parker.mjs');
    for (let i = 0; i < 2; i++) {
      await plugin.pause();
      await plugin.pause();
      await plugin.resume();
      await plugin.resume();
    }
    const hooks = async (): Promise<unknown> => plugin.execute({ tell: true });
    expect(await hooks()).toEqual(['pause', 'resume', 'pause', 'resume']);

    const turning = nextEvent(manager, 'progress');
    const call = plugin.execute({ turns: 20_000_000 });
    await turning;
    await plugin.pause();
    await plugin.resume();
    await call;
    expect(await hooks()).toEqual(['pause', 'resume', 'pause', 'resume', 'pause', 'resume']);
  });
});
