/** When a plugin comes back, when it does not, and as what. DESIGN §5, §7; FAILURES 19, 35. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { eventsOf, nextEvent, recordEvents, recordStates } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';
import { createManager, runAssistant } from '../support/manager.ts';
import { codesOf, failureOf, later } from '../support/outcomes.ts';

const EXIT = { do: 'exit', code: 1 };
const SLOWLY = { intensity: 10, backoff: { minMs: 60_000, maxMs: 60_000, jitter: 0 } };

describe('the restart type', () => {
  it.each([
    ['permanent', 'error', 'running'],
    ['permanent', 'normal', 'running'],
    ['permanent', 'shutdown', 'running'],
    ['transient', 'error', 'running'],
    ['transient', 'normal', 'unloaded'],
    ['transient', 'shutdown', 'unloaded'],
    ['temporary', 'error', 'failed'],
    ['temporary', 'normal', 'unloaded'],
    ['temporary', 'shutdown', 'unloaded'],
  ] as const)('%s after ctx.exit(%s) is %s', async (type, reason, state) => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await runAssistant(manager, { restart: { type } });
    const left = plugin.execute({ do: 'leave', reason });
    const waiting = plugin.execute({ do: 'echo', value: 'waited' });
    const [leftCode, waitedCode] = await codesOf([left, waiting]);
    expect(leftCode).toBe(reason === 'error' ? 'PLUGIN_CRASHED' : 'PLUGIN_STOPPED');
    const waited = { running: 'ok', unloaded: 'PLUGIN_STOPPED', failed: 'PLUGIN_CRASHED' };
    expect(waitedCode).toBe(waited[state]);
    await eventually(() => {
      expect(plugin.state).toBe(state);
    });
    expect(eventsOf(events, 'crashed')).toHaveLength(reason === 'error' ? 1 : 0);
    expect(await plugin.stats()).toMatchObject({
      restarts: state === 'running' ? 1 : 0,
      crashes: reason === 'error' ? 1 : 0,
    });
  });
});

describe('restarts', () => {
  it('are told of in order', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const events = recordEvents(manager);
    const states = recordStates(manager, 'assistant');
    const restarted = nextEvent(manager, 'restarted');
    await failureOf(plugin.execute(EXIT));
    await restarted;
    expect(states).toEqual(['running → restarting', 'restarting → running']);
    const types = events.map(({ type }) => type).filter((type) => type !== 'state-changed');
    expect(types).toEqual(['crashed', 'restarting', 'restarted']);
    expect(eventsOf(events, 'restarted')[0]?.generation).toBe(2);
  });

  it('are at once, then later and later', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await runAssistant(manager, {
      restart: { intensity: 10, backoff: { minMs: 20, maxMs: 100, factor: 2, jitter: 0 } },
    });
    for (let i = 0; i < 5; i++) await failureOf(plugin.execute(EXIT));
    await plugin.execute({ do: 'echo' });
    const delays = eventsOf(events, 'restarting').map(({ delayMs }) => delayMs);
    expect(delays).toEqual([0, 20, 40, 80, 100]);
  });

  it('beyond the intensity end in failed, and the calls that wait are rejected', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await runAssistant(manager, {
      restart: { intensity: 2, periodMs: 60_000, backoff: { minMs: 0, maxMs: 0 } },
    });
    const deadly = [1, 2, 3].map(() => plugin.execute(EXIT));
    const waiting = [1, 2].map(() => plugin.execute({ do: 'echo' }));
    expect(await codesOf(deadly)).toEqual(['PLUGIN_CRASHED', 'PLUGIN_CRASHED', 'PLUGIN_CRASHED']);
    expect(await codesOf(waiting)).toEqual(['PLUGIN_CRASHED', 'PLUGIN_CRASHED']);
    expect(plugin.state).toBe('failed');
    expect(eventsOf(events, 'gave-up')).toEqual([expect.objectContaining({ id: 'assistant' })]);
    expect(eventsOf(events, 'restarted')).toHaveLength(2);
    expect(await failureOf(plugin.execute({ do: 'echo' }))).toMatchObject({ code: 'NOT_RUNNING' });

    await plugin.restart();
    expect(plugin.state).toBe('running');
    expect(await plugin.execute({ do: 'generation' })).toBe(4);
    // with a new budget
    await failureOf(plugin.execute(EXIT));
    expect(await plugin.execute({ do: 'generation' })).toBe(5);
  });

  it('are not tried again where the file is broken for good', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const folder = await temporaryFolder({
      'plugin.mjs': 'export default () => process.exit(1);',
    });
    const entry = path.join(folder, 'plugin.mjs');
    await manager.register({ id: 'bad', type: 'tool', entry, restart: { intensity: 50 } });
    await manager.up();
    await writeFile(entry, 'export default (');
    const gaveUp = nextEvent(manager, 'gave-up');
    const calls = [manager.execute('bad'), manager.execute('bad')];
    expect((await codesOf(calls))[0]).toBe('PLUGIN_CRASHED');
    await gaveUp;
    expect((await codesOf(calls))[1]).not.toBe('ok');
    expect(manager.state('bad')).toBe('failed');
    expect(eventsOf(events, 'restarting')).toHaveLength(1);
    await writeFile(entry, "export default () => 'repaired';");
    await manager.restart('bad');
    expect(await manager.execute('bad')).toBe('repaired');
  });
});

describe('a verb while it is restarting', () => {
  it('pause: it comes back paused', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const restarting = nextEvent(manager, 'state-changed', ({ to }) => to === 'restarting');
    const call = failureOf(plugin.execute(EXIT));
    await restarting;
    const states = recordStates(manager, 'assistant');
    const waiting = plugin.execute({ do: 'generation' });
    await plugin.pause();
    expect(plugin.state).toBe('paused');
    expect(states.at(-1)).toMatch(/→ paused$/);
    await call;
    await plugin.resume();
    expect(await waiting).toBe(2);
  });

  it.each(['stop', 'unload'] as const)('%s: it does not come back', async (verb) => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { restart: SLOWLY });
    const restarting = nextEvent(manager, 'restarting', ({ delayMs }) => delayMs > 0);
    await failureOf(plugin.execute(EXIT));
    await plugin.execute({ do: 'echo' });
    await failureOf(plugin.execute(EXIT));
    await restarting;
    const waiting = later(plugin.execute({ do: 'echo' }));
    await plugin[verb]();
    expect(await codesOf([waiting])).toEqual(['PLUGIN_STOPPED']);
    expect(['initialized', 'unloaded']).toContain(plugin.state);
    expect(await failureOf(plugin.execute({ do: 'echo' }))).toMatchObject({ code: 'NOT_RUNNING' });
  });

  it('restart: it need not wait for the backoff', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { restart: SLOWLY });
    await failureOf(plugin.execute(EXIT));
    await plugin.execute({ do: 'echo' });
    const restarting = nextEvent(manager, 'restarting');
    await failureOf(plugin.execute(EXIT));
    await restarting;
    await plugin.restart();
    expect(await plugin.execute({ do: 'generation' })).toBe(3);
  });

  it('close: the manager does not wait for the backoff', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { restart: SLOWLY });
    await failureOf(plugin.execute(EXIT));
    await plugin.execute({ do: 'echo' });
    await failureOf(plugin.execute(EXIT));
    const waiting = later(plugin.execute({ do: 'echo' }));
    expect(await manager.close()).toEqual({ clean: true, problems: [] });
    expect(await codesOf([waiting])).toEqual(['PLUGIN_STOPPED']);
  });
});

describe('a crash of a plugin that is not running', () => {
  it('while initialized makes it failed, told of as a crash', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    await plugin.execute({ do: 'exit-when-told' });
    await plugin.stop();
    const crashed = nextEvent(manager, 'crashed');
    await manager.context.state.set('exit now', true);
    await crashed;
    await eventually(() => {
      expect(plugin.state).toBe('failed');
    });
    await plugin.restart();
    expect(await plugin.execute({ do: 'generation' })).toBe(2);
  });

  it('while paused brings it back paused', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    await plugin.execute({ do: 'exit-when-told' });
    await plugin.pause();
    const restarted = nextEvent(manager, 'restarted');
    const waiting = plugin.execute({ do: 'generation' });
    await manager.context.state.set('exit now', true);
    await restarted;
    expect(plugin.state).toBe('paused');
    await plugin.resume();
    expect(await waiting).toBe(2);
  });
});
