/** What a plugin measures through its context, and what it knows of the others. */
import type { MetricSample, PluginListing, PluginStats } from 'troupe';
import { quantileOf } from 'troupe';
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { createManager, EAGER_RESTART, run, specOf } from '../support/manager.ts';
import { causeOf, failureOf } from '../support/outcomes.ts';
import { wordsOf } from '../support/words.ts';

const counter = (name: string, value: number, labels = {}): MetricSample => ({
  kind: 'counter',
  name,
  labels,
  value,
});

describe('ctx.metrics', () => {
  it('are told in stats: counters, gauges and histograms with their labels', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'measured.mjs');
    expect((await plugin.stats())?.metrics).toEqual([]);
    await plugin.execute({ do: 'count', name: 'served', labels: { language: 'en' } });
    await plugin.execute({ do: 'count', name: 'served', labels: { language: 'en' }, by: 2 });
    await plugin.execute({ do: 'set', name: 'open', to: -4.5 });
    const values = Array.from({ length: 100 }, (_, i) => i + 1);
    await plugin.execute({ do: 'record', name: 'latency_ms', values });
    const metrics = (await plugin.stats())?.metrics ?? [];
    expect(metrics.slice(0, 2)).toEqual([
      counter('served', 3, { language: 'en' }),
      { kind: 'gauge', name: 'open', labels: {}, value: -4.5 },
    ]);
    expect(metrics[2]).toMatchObject({
      name: 'latency_ms',
      count: 100,
      sum: 5_050,
      min: 1,
      max: 100,
    });
    const p90 = metrics[2]?.kind === 'histogram' ? quantileOf(metrics[2], 0.9) : undefined;
    expect(p90).toBeGreaterThanOrEqual(90);
    expect(p90).toBeLessThanOrEqual(90 * 1.091);
  });

  it('refuse a name that cannot be, as an error of that call alone', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'measured.mjs');
    const error = await failureOf(plugin.execute({ do: 'count', name: 'two words' }));
    expect(causeOf(error)).toBeInstanceOf(TypeError);
    expect(causeOf(error).message).toContain('"two words" is no name of a metric');
    expect((await plugin.stats())?.metrics).toEqual([]);
  });

  it('begin anew with each life', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'measured.mjs', { restart: EAGER_RESTART });
    await plugin.execute({ do: 'count', name: 'served', by: 5 });
    await failureOf(plugin.execute({ do: 'exit' }));
    await plugin.execute({ do: 'count', name: 'served' });
    expect(await plugin.stats()).toMatchObject({ generation: 2, metrics: [counter('served', 1)] });
    await plugin.unload();
    expect((await plugin.stats())?.metrics).toEqual([]);
  });

  it('are empty while the thread is too busy to say, and there again after that', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'measured.mjs');
    const words = await wordsOf(manager, 'measured', 2);
    await plugin.execute({ do: 'count', name: 'served' });
    const spinning = plugin.execute({ do: 'spin until told' });
    await eventually(() => words.load(0) === 1);
    expect((await plugin.stats())?.metrics).toEqual([]);
    words.add(1, 1);
    await spinning;
    expect((await plugin.stats())?.metrics).toEqual([counter('served', 1)]);
  });

  it('of replicas are added up, also while one of them is too busy to say', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'measured.mjs', { replicas: 2 });
    const words = await wordsOf(manager, 'measured', 2);
    await Promise.all(
      [1, 2].map((by) =>
        plugin.execute({ do: 'count', name: 'served', by }, { affinity: keyFor(by) }),
      ),
    );
    expect((await plugin.stats())?.metrics).toEqual([counter('served', 3)]);
    const spinning = plugin.execute({ do: 'spin until told' }, { affinity: keyFor(1) });
    await eventually(() => words.load(0) === 1);
    expect((await plugin.stats())?.metrics).toEqual([counter('served', 3)]);
    words.add(1, 1);
    await spinning;
  });

  it('of the threads of a pool are added up, also while one of them is too busy to say', async () => {
    const manager = createManager();
    const pool = await run(manager, 'measured.mjs', { isolation: 'pool', threads: 2 });
    const buffer = new Int32Array(await manager.context.shared('measured', 8));
    const both = (by: number): Promise<unknown> =>
      Promise.all([1, 2].map(() => pool.execute({ do: 'count', name: 'served', by })));
    await both(1);
    await both(2);
    expect((await pool.stats())?.metrics).toEqual([counter('served', 6)]);
    const spinning = pool.execute({ do: 'spin until told' });
    await eventually(() => Atomics.load(buffer, 0) === 1);
    expect((await pool.stats())?.metrics).toEqual([counter('served', 6)]);
    Atomics.store(buffer, 1, 1);
    await spinning;
  });
});

describe('a plugin', () => {
  it('lists all plugins with their states, itself among them', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'measured.mjs');
    await manager.register(specOf('echo.mjs', { capabilities: ['echo'], version: '2.0.0' }));
    const listed = (await plugin.execute({ do: 'list' })) as PluginListing[];
    expect(listed).toEqual(manager.listPlugins());
    expect(listed).toMatchObject([
      { id: 'measured', state: 'running' },
      { id: 'echo', state: 'unloaded', version: '2.0.0', capabilities: ['echo'] },
    ]);
  });

  it('knows the stats of all plugins, its own among them, from inside a call', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'measured.mjs', { restart: EAGER_RESTART });
    const other = await run(manager, 'measured.mjs', { id: 'other', restart: EAGER_RESTART });
    await failureOf(other.execute({ do: 'exit' }));
    await other.execute({ do: 'count', name: 'served' });
    await plugin.execute({ do: 'count', name: 'asked' });
    const all = (await plugin.execute({ do: 'stats' })) as Map<string, PluginStats>;
    expect([...all.keys()]).toEqual(['measured', 'other']);
    expect(all.get('measured')).toMatchObject({
      state: 'running',
      calls: { started: 2, inFlight: 1 },
      metrics: [counter('asked', 1)],
    });
    expect(all.get('other')).toMatchObject({
      generation: 2,
      lastCrash: { reason: 'exit', exitCode: 1 },
      metrics: [counter('served', 1)],
    });
  });

  it('is not held up by one that is busy when it asks for the stats of all', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'measured.mjs');
    const busy = await run(manager, 'measured.mjs', { id: 'busy' });
    const words = await wordsOf(manager, 'measured', 2);
    const spinning = busy.execute({ do: 'spin until told' });
    await eventually(() => words.load(0) === 1);
    const all = (await plugin.execute({ do: 'stats' })) as Map<string, PluginStats>;
    expect(all.get('busy')).toMatchObject({ calls: { inFlight: 1 }, memory: undefined });
    words.add(1, 1);
    await spinning;
  });
});

/** Two keys that belong to two different ones of two replicas. */
function keyFor(replica: number): string {
  return replica === 1 ? 'a' : 'c';
}
