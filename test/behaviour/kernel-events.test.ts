/** What the kernel tells, logs among it, and that nobody who listens can harm it. DESIGN §3; FAILURES 26, 30, 36. */
import process from 'node:process';

import type { KernelEvent } from 'troupe';
import { describe, expect, it, vi } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventsOf, nextEvent, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager, run, runAssistant, specOf } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';
import { soon } from '../support/soon.ts';

const rejecting = async (): Promise<void> => {
  await Promise.resolve();
  throw new Error('a listener fell over later');
};

describe('kernel events', () => {
  it('have type, id, generation and time', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const before = Date.now();
    const plugin = await runAssistant(manager);
    await failureOf(plugin.execute({ do: 'exit', code: 1 }));
    await plugin.execute({ do: 'echo' });
    await plugin.unregister();
    for (const event of events) {
      expect(event.id).toBe('assistant');
      expect(event.at).toBeGreaterThanOrEqual(before);
      expect(event.at).toBeLessThanOrEqual(Date.now());
    }
    const types = events.map(({ type, generation }) => `${type} ${String(generation)}`);
    expect(types[0]).toBe('registered 0');
    expect(types).toContain('crashed 1');
    expect(types).toContain('restarted 2');
    expect(types.at(-1)).toBe('unregistered 2');
  });

  it('of one type are heard by its listeners alone, until they stop', async () => {
    const manager = createManager();
    const types: string[] = [];
    const stop = manager.on('registered', ({ type }) => types.push(type));
    await manager.register(specOf('echo.mjs', { id: 'a' }));
    stop();
    await manager.register(specOf('echo.mjs', { id: 'b' }));
    expect(types).toEqual(['registered']);
  });

  it('can be iterated, by several at once, until the manager closes', async () => {
    const manager = createManager();
    const read = async (): Promise<string[]> => {
      const types: string[] = [];
      for await (const { type } of manager.events()) types.push(type);
      return types;
    };
    const readers = [read(), read()];
    const first = (async (): Promise<KernelEvent | undefined> => {
      for await (const event of manager.events()) return event;
      return undefined;
    })();
    await run(manager, 'echo.mjs');
    await manager.close();
    const [one = [], two] = await soon(Promise.all(readers));
    expect(one[0]).toBe('registered');
    expect(one.filter((type) => type === 'state-changed')).toHaveLength(5);
    expect(two).toEqual(one);
    expect(await first).toMatchObject({ type: 'registered', id: 'echo' });
  });

  it('reach the others when a listener throws or rejects, and no verb or call is harmed', async () => {
    const manager = createManager();
    manager.on('*', () => {
      throw new Error('a listener fell over');
    });
    // oxlint-disable-next-line typescript/no-misused-promises -- the mistake is the point
    manager.on('state-changed', rejecting);
    const events = recordEvents(manager);
    const plugin = await run(manager, 'echo.mjs');
    expect(await plugin.execute('well')).toBe('well');
    expect(eventsOf(events, 'state-changed')).toHaveLength(4);
    await eventually(() => {
      const warnings = eventsOf(events, 'warning').map(({ message }) => message);
      expect(warnings).toContainEqual(expect.stringContaining('a listener fell over'));
      expect(warnings).toContainEqual(expect.stringContaining('a listener fell over later'));
    });
  });
});

describe('what a plugin says', () => {
  it('arrives as log events, tagged with id, level and source, in order', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await run(manager, 'self-aware.mjs');
    await plugin.execute({ do: 'log every way' });
    await eventually(() => {
      expect(eventsOf(events, 'log')).toHaveLength(7);
    });
    const lines = eventsOf(events, 'log').map(({ id, level, source, message, fields }) => {
      expect(id).toBe('self-aware');
      return [level, source, message, fields];
    });
    expect(lines).toEqual([
      ['debug', 'log', 'from debug', undefined],
      ['info', 'log', 'from info', { limit: 7 }],
      ['warn', 'log', 'from warn', undefined],
      ['error', 'log', 'from error', undefined],
      ['info', 'stdout', 'from console.log { a: 1 }', undefined],
      ['error', 'stderr', 'from console.error', undefined],
      ['info', 'stdout', 'from stdout', undefined],
    ]);
  });

  it('arrives also from a plugin that crashes at once, and out of a busy loop', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const said = nextEvent(manager, 'log', ({ message }) => message === 'before');
    const board = await boardOf(manager);
    const call = plugin.execute({ do: 'log-and-spin-until-told', message: 'before' });
    await said;
    board.tell();
    expect(await call).toBe('told');
    const last = nextEvent(manager, 'log', ({ message }) => message === 'last words');
    await failureOf(plugin.execute({ do: 'log-and-exit', message: 'last words' }));
    await last;
  });

  it('is bounded in rate, and what was dropped is told of', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await run(manager, 'self-aware.mjs', { limits: { logBytesPerSecMax: 10_000 } });
    await plugin.execute({ do: 'log', count: 2_000, size: 100 });
    await plugin.execute({ do: 'log' });
    const bytes = eventsOf(events, 'log').reduce((sum, { message }) => sum + message.length, 0);
    expect(bytes).toBeGreaterThan(5_000);
    expect(bytes).toBeLessThan(40_000);
    await eventually(async () => {
      await plugin.execute({ do: 'log' });
      const told = eventsOf(events, 'log').some(({ message }) => /\d+ log lines/.test(message));
      expect(told).toBe(true);
    });
  });

  it('is cut where a line is very long', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await run(manager, 'self-aware.mjs');
    await plugin.execute({ do: 'log', size: 200_000 });
    await eventually(() => {
      expect(eventsOf(events, 'log')).toHaveLength(1);
    });
    expect(eventsOf(events, 'log')[0]?.message.length).toBeLessThan(20_000);
  });
});

describe('the environment', () => {
  it('of a plugin is empty but for the names it is permitted', async () => {
    const manager = createManager();
    vi.stubEnv('TROUPE_TEST_SECRET', 'a secret');
    vi.stubEnv('TROUPE_TEST_PERMITTED', 'not a secret');
    const plain = await run(manager, 'self-aware.mjs', { id: 'plain' });
    const permitted = await run(manager, 'self-aware.mjs', {
      id: 'permitted',
      permissions: { env: ['TROUPE_TEST_PERMITTED', 'TROUPE_TEST_NOT_SET'] },
    });
    vi.unstubAllEnvs();
    expect(await plain.execute({ do: 'env' })).toEqual({});
    expect(await permitted.execute({ do: 'env' })).toEqual({
      TROUPE_TEST_PERMITTED: 'not a secret',
    });
    expect(Object.keys(process.env).length).toBeGreaterThan(0);
  });
});
