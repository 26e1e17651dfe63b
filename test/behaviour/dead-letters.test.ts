import { inspect } from 'node:util';

import type { DeadLetter, PluginHandle, PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventsOf, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { AFTER_A_CRASH, ISOLATION } from '../support/isolation.ts';
import { createManager, fixture, runAssistant } from '../support/manager.ts';
import { codesOf, failureFrom, failureOf, later } from '../support/outcomes.ts';

const EXIT = { do: 'exit', code: 1 };

/** A plugin that ends for good while calls wait for it. */
async function failWith(
  manager: PluginManager,
  plugin: PluginHandle,
  inputs: unknown[],
): Promise<string[]> {
  const board = await boardOf(manager);
  const begun = board.begun();
  const holding = later(plugin.execute({ do: 'hold', key: 'never set' }));
  await board.hasBegun(begun + 1);
  const waiting = inputs.map((input) => later(plugin.execute(input)));
  await manager.context.state.set('exit now', true);
  await failureOf(holding);
  return codesOf(waiting);
}

/** Ends when the state key `exit now` is set, without restart. */
async function runDoomed(manager: PluginManager): Promise<PluginHandle> {
  const plugin = await runAssistant(manager, { restart: { intensity: 0 } });
  await plugin.execute({ do: 'exit-when-told' });
  return plugin;
}

const said = ({ number, pluginId, reason }: DeadLetter) =>
  `${pluginId} ${String(number)} ${reason}`;

describe('a call that keeps killing its plugin', () => {
  it('is listed, counted and told alike, and can be sent again', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await runAssistant(manager);
    const input = { do: 'die-until', deaths: 2, note: 'eyes only' };
    const before = Date.now();
    const error = await failureOf(plugin.execute(input, { idempotent: true }));

    const letters = plugin.deadLetters();
    const letter = {
      number: 1,
      callId: error.callId,
      pluginId: 'assistant',
      reason: 'poison',
      message: error.message,
      deliveries: 2,
      generation: AFTER_A_CRASH.generation,
      hasInput: true,
    };
    expect(letters).toEqual([expect.objectContaining(letter)]);
    expect(letters[0]?.at).toBeGreaterThanOrEqual(before);
    expect(manager.deadLetters()).toEqual(letters);
    expect((await plugin.stats())?.calls.deadLetters).toBe(1);
    const told = eventsOf(events, 'dead-letter');
    const { number, callId, reason, message, deliveries } = letter;
    expect(told).toMatchObject([
      { id: 'assistant', number, callId, reason, message, deliveries, bytes: letters[0]?.bytes },
    ]);

    expect(letters[0]?.input()).toEqual(input);
    const generation = ISOLATION === 'pool' ? 1 : 3;
    expect(await plugin.execute(letters[0]?.input())).toBe(generation);
  });

  it('shows its input to nobody who does not ask', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await runAssistant(manager);
    const input = { ...EXIT, note: 'eyes only' };
    await failureOf(plugin.execute(input, { idempotent: true }));
    const letters = plugin.deadLetters();
    expect(letters).toHaveLength(1);
    for (const shown of [letters, events, structuredClone(letters)]) {
      expect(JSON.stringify(shown)).not.toContain('eyes only');
      expect(inspect(shown, { depth: 9, showHidden: true })).not.toContain('eyes only');
    }
  });

  it('stays listed over restarts, and is forgotten with its plugin', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    await failureOf(plugin.execute(EXIT, { idempotent: true }));
    await plugin.restart();
    await plugin.stop();
    await plugin.unload();
    expect(plugin.deadLetters().map(said)).toEqual(['assistant 1 poison']);
    await plugin.unregister();
    expect(manager.deadLetters()).toEqual([]);
    expect(await failureFrom(() => plugin.deadLetters())).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('calls that wait for a plugin', () => {
  it('that fails for good are dead letters', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await runDoomed(manager);
    const inputs = [1, 2, 3].map((value) => ({ do: 'echo', value }));
    expect(await failWith(manager, plugin, inputs)).toEqual(inputs.map(() => 'PLUGIN_CRASHED'));

    const letters = plugin.deadLetters();
    expect(letters.map(said)).toEqual([1, 2, 3].map((n) => `assistant ${String(n)} plugin-failed`));
    expect(letters.map((letter) => letter.input())).toEqual(inputs);
    expect(letters.map(({ deliveries }) => deliveries)).toEqual([0, 0, 0]);
    expect(eventsOf(events, 'dead-letter').map(({ number }) => number)).toEqual([1, 2, 3]);
    expect((await plugin.stats())?.calls.deadLetters).toBe(3);
  });

  it('that is stopped or unloaded were called off, and are none', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    await plugin.pause();
    const stopped = later(plugin.execute({ do: 'echo' }));
    await plugin.stop();
    await plugin.start();
    await plugin.pause();
    const unloaded = later(plugin.execute({ do: 'echo' }));
    await plugin.unload();
    expect(await codesOf([stopped, unloaded])).toEqual(['PLUGIN_STOPPED', 'PLUGIN_STOPPED']);
    expect(plugin.deadLetters()).toEqual([]);
    expect((await plugin.stats())?.calls.deadLetters).toBe(0);
  });

  it('whose group gives up are dead letters', async () => {
    const manager = createManager();
    const spec = { type: 'tool', entry: fixture('assistant.mjs') } as const;
    const group = { strategy: 'one-for-all', intensity: 0 } as const;
    await manager.group('team', group, [
      { ...spec, id: 'first' },
      { ...spec, id: 'second' },
    ]);
    await manager.pause('second');
    const waiting = later(manager.execute('second', { do: 'echo' }));
    await failureOf(manager.execute('first', EXIT));
    await codesOf([waiting]);
    await eventually(() => {
      expect(manager.deadLetters().map(said)).toEqual(['second 1 plugin-failed']);
    });
  });
});

describe('dead letters', () => {
  it('are kept up to a hundred, and inputs up to 64 KiB; all are counted', async () => {
    const manager = createManager();
    const plugin = await runDoomed(manager);
    const inputs = Array.from({ length: 120 }, (_, value) => ({ do: 'echo', value }));
    const large = { do: 'echo', value: 'x'.repeat(64 * 1024) };
    await failWith(manager, plugin, [...inputs, large]);

    const letters = plugin.deadLetters();
    expect(letters.map(({ number }) => number)).toEqual(
      Array.from({ length: 100 }, (_, at) => 22 + at),
    );
    expect((await plugin.stats())?.calls.deadLetters).toBe(121);
    expect(letters[0]?.input()).toEqual(inputs[21]);
    const last = letters.at(-1);
    expect([last?.hasInput, last?.input()]).toEqual([false, undefined]);
    expect(last?.bytes).toBeGreaterThan(64 * 1024);
  });

  it('of all plugins are listed together, oldest first', async () => {
    const manager = createManager();
    await runAssistant(manager, { id: 'a' });
    await runAssistant(manager, { id: 'b' });
    for (const id of ['b', 'a', 'b']) {
      await failureOf(manager.execute(id, EXIT, { idempotent: true }));
    }
    const letters = manager.deadLetters();
    expect(letters.map(said).toSorted()).toEqual(['a 1 poison', 'b 1 poison', 'b 2 poison']);
    expect(letters.map(({ at }) => at)).toEqual(
      letters.map(({ at }) => at).toSorted((x, y) => x - y),
    );
    expect(manager.deadLetters('a').map(said)).toEqual(['a 1 poison']);
  });
});

describe('an answer that comes when nobody waits for it any more', () => {
  it('is dropped and counted', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits: { graceMs: 10_000 } });
    const slow = plugin.execute({ do: 'spin-for', ms: 1_000 }, { timeoutMs: 500 });
    expect(await failureOf(slow)).toMatchObject({ code: 'CALL_TIMEOUT' });
    await eventually(async () => {
      expect((await plugin.stats())?.calls).toMatchObject({ timedOut: 1, lateReplies: 1 });
    });
    expect(plugin.deadLetters()).toEqual([]);
  });
});
