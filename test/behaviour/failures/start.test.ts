/** A plugin that does not come up. FAILURES 15, 18, 19, 35. */
import { describe, expect, it } from 'vitest';

import { eventsOf, recordEvents } from '../../support/events.ts';
import { eventually } from '../../support/eventually.ts';
import { ISOLATIONS } from '../../support/failure-scene.ts';
import { inline } from '../../support/files.ts';
import { createManager, fixture, run, specOf } from '../../support/manager.ts';
import { startNeighbour } from '../../support/neighbour.ts';
import { codesOf, failureOf } from '../../support/outcomes.ts';

const HANGS = 'await new Promise(() => {}); export default () => 1;';

describe.each(ISOLATIONS)('in a %s', (isolation) => {
  it('row 15: a life that is ended before it is up is no crash, and the next one is', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager, { isolation: 'thread' });
    await neighbour.isUnderWay();
    const events = recordEvents(manager);
    const plugin = await manager.register(specOf('saboteur.mjs', { isolation }));
    const loading = plugin.load();
    const unloading = plugin.unload();
    expect(await codesOf([loading, unloading])).toEqual(['ok', 'ok']);
    expect(plugin.state).toBe('unloaded');
    for (const verb of ['stop', 'unregister'] as const) {
      const other = await manager.register(specOf('echo.mjs', { isolation, id: verb }));
      await codesOf([other.load(), other[verb]()]);
    }
    await plugin.load();
    await plugin.init();
    await plugin.start();
    // by hand, in the middle of one that is just as young
    const restarts = [plugin.restart(), plugin.unload()];
    expect((await codesOf(restarts)).at(-1)).toBe('ok');
    expect(plugin.state).toBe('unloaded');
    expect(eventsOf(events, 'crashed')).toEqual([]);
    await neighbour.isUnharmed();
    await neighbour.wasNotSlow();
  });

  it.each([
    ['a top-level await that hangs', HANGS, 'START_TIMEOUT', undefined],
    [
      'a top-level await that hangs beside a timer',
      `setInterval(() => {}, 1_000); ${HANGS}`,
      'START_TIMEOUT',
      undefined,
    ],
    ['an exit before it is ready', 'process.exit(0);', 'LOAD_FAILED', 'exit'],
  ])('row 18: %s is told for what it is', async (_, source, code, reason) => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager, { isolation: 'thread' });
    await neighbour.isUnderWay();
    const plugin = await manager.register({
      id: 'late',
      type: 'tool',
      entry: inline(source),
      isolation,
      limits: { startTimeoutMs: code === 'START_TIMEOUT' ? 500 : 10_000 },
    });
    const error = await failureOf(plugin.load());
    expect(error).toMatchObject({ code, pluginId: 'late', data: reason ? { reason } : {} });
    expect(plugin.state).toBe('failed');
    expect(await failureOf(plugin.execute('?'))).toMatchObject({ code: 'NOT_RUNNING' });
    await neighbour.isUnharmed();
    await neighbour.wasNotSlow();
  });

  it.each([
    ['a missing file', fixture('there-is-none.mjs'), /there-is-none/],
    ['a syntax error', inline('export default ('), /Unexpected|SyntaxError/],
    ['an import that does not exist', inline("import 'node:nothing';"), /nothing/],
    ['an exception', inline("throw new RangeError('not today')"), /not today/],
  ])('row 19: %s is LOAD_FAILED with that cause, and tried once', async (_, entry, cause) => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager, { isolation: 'thread' });
    await neighbour.isUnderWay();
    const events = recordEvents(manager);
    const plugin = await manager.register({ id: 'broken', type: 'tool', entry, isolation });
    const error = await failureOf(plugin.load());
    expect(error).toMatchObject({ code: 'LOAD_FAILED', pluginId: 'broken' });
    expect(`${error.message} ${String(error.cause)}`).toMatch(cause);
    expect(plugin.state).toBe('failed');
    expect(eventsOf(events, 'restarting')).toEqual([]);
    expect(await plugin.stats()).toMatchObject({ generation: 1 });
    await neighbour.isUnharmed();
    await neighbour.wasNotSlow();
  });

  it('row 35: plugins that crash as soon as they are up cost their budget of lives, no more', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager, { isolation: 'thread' });
    await neighbour.isUnderWay();
    const events = recordEvents(manager);
    const entry = inline(
      'setTimeout(() => { throw new Error("again") }); export default () => new Promise(() => {});',
    );
    const restart = { intensity: 2, periodMs: 60_000, backoff: { minMs: 20, maxMs: 40 } };
    const ids = ['a', 'b', 'c', 'd'];
    for (const id of ids) {
      await manager.register({ id, type: 'tool', entry, isolation, restart });
    }
    await manager.up().catch(() => undefined);
    await eventually(() => {
      expect(ids.map((id) => manager.state(id))).toEqual(ids.map(() => 'failed'));
    });
    for (const id of ids) {
      const mine = eventsOf(events, 'restarting').filter((event) => event.id === id);
      expect(mine.length).toBeLessThanOrEqual(restart.intensity);
      const stats = await manager.stats(id);
      expect(stats?.generation).toBeLessThanOrEqual(1 + restart.intensity);
    }
    await run(manager, 'echo.mjs', { isolation });
    await neighbour.isUnharmed();
    await neighbour.wasNotSlow();
  });
});
