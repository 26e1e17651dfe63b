/** Calls in their order, through the mailbox, one or several at a time. DESIGN §6. */
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventsOf, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager, run, runAssistant } from '../support/manager.ts';
import { codesOf, failureOf, later } from '../support/outcomes.ts';

describe('calls', () => {
  it('are begun in the order they were made', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const names = Array.from({ length: 200 }, (_, i) => `call ${String(i)}`);
    await Promise.all(names.map((name) => plugin.execute({ do: 'begun', name })));
    expect(await manager.context.state.get('begun')).toEqual(names);
  });

  it('are answered each with its own answer, thousands at once', async () => {
    const manager = createManager();
    const plugin = await run<number, number>(manager, 'echo.mjs');
    const numbers = Array.from({ length: 5_000 }, (_, i) => i);
    expect(await Promise.all(numbers.map((i) => plugin.execute(i)))).toEqual(numbers);
    expect(await plugin.stats()).toMatchObject({
      calls: { started: 5_000, succeeded: 5_000, inFlight: 0, queued: 0 },
    });
  });

  it('are one at a time by default', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const first = plugin.execute({ do: 'hold' });
    const second = plugin.execute({ do: 'echo', value: 'second' });
    await board.hasBegun(1);
    expect(await manager.stats('assistant')).toMatchObject({ calls: { succeeded: 0 } });
    expect(board.begun()).toBe(1);
    await board.release();
    expect(await Promise.all([first, second])).toEqual(['released', 'second']);
  });

  it('interleave where the concurrency allows it, and no more than that', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { concurrency: 3 });
    const board = await boardOf(manager);
    const held = ['a', 'b', 'c', 'd'].map((key) => plugin.execute({ do: 'hold', key }));
    await board.hasBegun(3);
    expect(await plugin.health()).toMatchObject({ healthy: true });
    expect(board.begun()).toBe(3);
    // the last of the three may end first
    await board.release('C', 'c');
    expect(await held[2]).toBe('C');
    await board.hasBegun(4);
    for (const key of ['a', 'b', 'd']) await board.release(key.toUpperCase(), key);
    expect(await Promise.all(held)).toEqual(['A', 'B', 'C', 'D']);
  });

  it('have an id of plugin, generation and number, and know their deadline', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const before = Date.now();
    const info = async (timeoutMs?: number): Promise<{ id: string; deadline?: number }> =>
      (await plugin.execute({ do: 'info' }, { timeoutMs })) as { id: string; deadline?: number };
    const [first, second] = [await info(), await info(60_000)];
    expect(first).toMatchObject({ id: 'assistant-1-1', deadline: undefined, signal: false });
    expect(second.id).toBe('assistant-1-2');
    expect(second.deadline).toBeGreaterThan(before + 50_000);
    expect(second.deadline).toBeLessThan(Date.now() + 61_000);
  });

  it('have the plugin’s callTimeoutMs where they say none, and may say 0', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits: { callTimeoutMs: 60_000 } });
    expect(await plugin.execute({ do: 'info' })).toMatchObject({
      deadline: expect.any(Number) as unknown,
    });
    expect(await plugin.execute({ do: 'info' }, { timeoutMs: 0 })).toMatchObject({
      deadline: undefined,
    });
  });

  it('tell how far they are', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await runAssistant(manager);
    expect(await plugin.execute({ do: 'progress' })).toBe('done');
    expect(eventsOf(events, 'progress')).toEqual([
      expect.objectContaining({ id: 'assistant', generation: 1, fraction: 0.5, note: 'half' }),
      expect.objectContaining({ id: 'assistant', fraction: 1, note: undefined }),
    ]);
  });

  it('let a fast answer out while a later call computes', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const fast = plugin.execute({ do: 'echo', value: 'fast' });
    const slow = plugin.execute({ do: 'spin-for', ms: 1_500 });
    let slowEnded = false;
    void slow.then(() => (slowEnded = true));
    expect(await fast).toBe('fast');
    expect(slowEnded).toBe(false);
    await slow;
  });

  it('each settle exactly once, also when stop comes between', async () => {
    const manager = createManager();
    const plugin = await run<number, number>(manager, 'echo.mjs');
    const calls = Array.from({ length: 2_000 }, (_, i) => later(plugin.execute(i)));
    const stopped = plugin.stop();
    const outcomes = await codesOf(calls);
    await stopped;
    const served = outcomes.filter((outcome) => outcome === 'ok').length;
    expect(outcomes).toEqual([
      ...Array.from({ length: served }, () => 'ok'),
      ...Array.from({ length: 2_000 - served }, () => 'PLUGIN_STOPPED'),
    ]);
    const stats = await plugin.stats();
    expect(stats?.calls).toMatchObject({ started: 2_000, succeeded: served, inFlight: 0 });
    expect(stats?.calls.aborted).toBe(2_000 - served);
  });
});

describe('a full mailbox', () => {
  const full = { mailbox: { capacity: 5 } };

  it('refuses at once with MAILBOX_FULL, and takes calls again when there is room', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, full);
    await plugin.pause();
    const calls = Array.from({ length: 8 }, (_, value) => plugin.execute({ do: 'echo', value }));
    const refused = await Promise.all(calls.slice(5).map(failureOf));
    for (const error of refused) {
      expect(error).toMatchObject({ code: 'MAILBOX_FULL', pluginId: 'assistant' });
      expect(error.message).toContain('5');
    }
    expect(await plugin.stats()).toMatchObject({ calls: { queued: 5, started: 5 } });
    await plugin.resume();
    expect(await Promise.all(calls.slice(0, 5))).toEqual([0, 1, 2, 3, 4]);
    expect(await plugin.execute({ do: 'echo', value: 'room' })).toBe('room');
  });

  it('lets callers wait for room where the spec says so', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { mailbox: { capacity: 5, overflow: 'wait' } });
    await plugin.pause();
    const calls = Array.from({ length: 50 }, (_, value) => plugin.execute({ do: 'echo', value }));
    await eventually(async () => {
      expect((await plugin.stats())?.calls.queued).toBeGreaterThanOrEqual(5);
    });
    await plugin.resume();
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 50 }, (_, value) => value));
  });

  it('bounds what is waiting at a busy plugin as well', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, full);
    const board = await boardOf(manager);
    const begun = plugin.execute({ do: 'hold' });
    await board.hasBegun(1);
    const flood = Array.from({ length: 20_000 }, () => plugin.execute({ do: 'echo', value: 0 }));
    const outcomes = codesOf(flood);
    await board.release();
    await begun;
    const refused = (await outcomes).filter((outcome) => outcome === 'MAILBOX_FULL').length;
    expect(refused).toBeGreaterThan(10_000);
    expect((await outcomes).filter((o) => o === 'ok').length + refused).toBe(20_000);
  });
});
