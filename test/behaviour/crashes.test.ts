/** How a thread can end, and what becomes of its calls. DESIGN §6, §7; FAILURES 1, 3, 4, 6, 24. */
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventsOf, nextEvent, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager, runAssistant } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { codesOf, failureOf } from '../support/outcomes.ts';

describe('a crash has a reason, an error and an exit code', () => {
  it.each([
    ['an uncaught error', { do: 'throw-later' }, 'uncaught', 'thrown later', 1],
    ['an unhandled rejection', { do: 'reject-later' }, 'unhandled-rejection', 'rejected later', 1],
    ['an error it would swallow itself', { do: 'swallow' }, 'uncaught', 'swallowed', 1],
    ['process.exit(0)', { do: 'exit', code: 0 }, 'exit', '0', 0],
    ['process.exit(3)', { do: 'exit', code: 3 }, 'exit', '3', 3],
    [
      'ctx.exit(new Error())',
      { do: 'leave', reason: 'error' },
      'uncaught',
      'left with an error',
      1,
    ],
  ] as const)('%s', async (_, command, reason, message, exitCode) => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await runAssistant(manager);
    const crashed = nextEvent(manager, 'crashed');
    const restarted = nextEvent(manager, 'restarted');

    const error = await failureOf(plugin.execute(command));
    expect(error).toMatchObject({ code: 'PLUGIN_CRASHED', pluginId: 'assistant' });
    expect(error.data).toMatchObject({ reason, exitCode });
    expect(error.callId).toMatch(/^assistant-1-\d+$/);
    expect(error.message).toContain(message);

    const { crash, generation } = await crashed;
    expect({ generation, reason: crash.reason }).toEqual({ generation: 1, reason });
    expect(crash.exitCode).toBe(exitCode);
    expect(crash.message).toContain(message);
    const stack = crash.error?.stack ?? 'process.exit has none';
    expect(stack).toMatch(reason === 'exit' ? /has none/ : /assistant\.mjs:\d+/);

    await restarted;
    expect(await plugin.execute({ do: 'generation' })).toBe(2);
    expect(await plugin.stats()).toMatchObject({
      restarts: 1,
      calls: { crashed: 1 },
      lastCrash: { reason },
    });
    await neighbour.isUnharmed();
  });

  it('and the error keeps class, code and message of what was thrown', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const error = await failureOf(plugin.execute({ do: 'throw-later', message: 'special' }));
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(error.cause).toMatchObject({ message: 'special', code: 'E_LATER' });
  });

  it('that is never lost, however the end of the thread and its last words race', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    for (let i = 0; i < 25; i++) {
      const plugin = await runAssistant(manager, { id: `plugin-${String(i)}` });
      const error = await failureOf(plugin.execute({ do: 'throw-later' }));
      expect(error.data).toMatchObject({ reason: 'uncaught', exitCode: 1 });
      await plugin.unregister();
    }
    await neighbour.isUnharmed();
  });

  it('and the last log lines', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const lines = Array.from({ length: 50 }, (_, i) => `line ${String(i)}`);
    await plugin.execute({ do: 'log', lines });
    await failureOf(plugin.execute({ do: 'exit', code: 1 }));
    const logs = (await plugin.stats())?.lastCrash?.logs ?? [];
    expect(logs.length).toBeGreaterThan(5);
    expect(logs).toEqual(lines.slice(-logs.length));
  });
});

describe('calls at a crash', () => {
  it('that had begun are rejected; those that had not are served in order by the next life', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const deadly = plugin.execute({ do: 'exit', code: 1 });
    const names = ['a', 'b', 'c', 'd'];
    const waiting = names.map((name) => plugin.execute({ do: 'begun', name }));
    expect(await failureOf(deadly)).toMatchObject({ code: 'PLUGIN_CRASHED' });
    expect(await codesOf(waiting)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(await manager.context.state.get('begun')).toEqual(names);
    expect(await plugin.execute({ do: 'generation' })).toBe(2);
  });

  it('that are made while it restarts wait for the next life', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, {
      restart: { intensity: 10, backoff: { minMs: 300, maxMs: 300, jitter: 0 } },
    });
    await failureOf(plugin.execute({ do: 'exit', code: 1 }));
    await plugin.execute({ do: 'echo' });
    await failureOf(plugin.execute({ do: 'exit', code: 1 }));
    expect(plugin.state).toBe('restarting');
    expect(await plugin.execute({ do: 'generation' })).toBe(3);
  });

  it('that had been answered just before keep their answer', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    for (let generation = 1; generation <= 5; generation++) {
      const restarted = nextEvent(manager, 'restarted');
      expect(await plugin.execute({ do: 'exit-after-answer' })).toBe('the last answer');
      await restarted;
    }
    expect(await plugin.execute({ do: 'generation' })).toBe(6);
  });

  it('all settle, whatever the mixture, and the sums are right', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const commands = Array.from({ length: 300 }, (_, i) =>
      i % 60 === 59 ? { do: 'exit', code: 1 } : { do: 'echo', value: i },
    );
    const outcomes = await codesOf(commands.map((command) => plugin.execute(command)));
    expect(outcomes).toEqual(
      commands.map((command) => (command.do === 'exit' ? 'PLUGIN_CRASHED' : 'ok')),
    );
    await eventually(async () => {
      expect(await plugin.stats()).toMatchObject({
        state: 'running',
        restarts: 5,
        crashes: 5,
        calls: { started: 300, succeeded: 295, crashed: 5, inFlight: 0, queued: 0 },
      });
    });
  });
});

describe('an idempotent call', () => {
  it('that had begun is delivered again', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const call = plugin.execute({ do: 'die-until', deaths: 1 }, { idempotent: true });
    expect(await call).toBe(2);
  });

  it('is delivered again with its large buffers, as they were when it was made', async () => {
    const plugin = await runAssistant(createManager());
    const bytes = new Uint8Array(100_000).fill(7);
    const call = plugin.execute({ do: 'die-until', deaths: 1, bytes }, { idempotent: true });
    bytes.fill(9);
    expect(await call).toEqual(new Uint8Array(100_000).fill(7));
  });

  it('that keeps killing its plugin is a dead letter', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const call = plugin.execute({ do: 'die-until', deaths: 100 }, { idempotent: true });
    const waiting = plugin.execute({ do: 'echo', value: 'after it' });
    const error = await failureOf(call);
    expect(error).toMatchObject({ code: 'PLUGIN_CRASHED', data: { deliveries: 2 } });
    expect(await waiting).toBe('after it');
    expect(board.deaths()).toBe(2);
    expect(eventsOf(events, 'dead-letter')).toEqual([
      expect.objectContaining({ id: 'assistant', callId: error.callId, reason: 'poison' }),
    ]);
    expect(await plugin.stats()).toMatchObject({ calls: { deadLetters: 1, crashed: 1 } });
  });

  it('is delivered restart.redeliver times', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, {
      restart: { intensity: 100, backoff: { minMs: 0, maxMs: 0 }, redeliver: 3 },
    });
    const call = plugin.execute({ do: 'die-until', deaths: 3 }, { idempotent: true });
    expect(await call).toBe(4);
  });
});
