import { describe, expect, it } from 'vitest';

import { eventsOf, nextEvent, recordEvents, recordStates } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager } from '../support/manager.ts';
import { callOn, changing, counting } from '../support/reloading.ts';

/** Is inside its first call until the shared state says `go`. */
const UNTIL_TOLD = `
  import { definePlugin } from 'troupe/plugin';
  export default definePlugin((ctx) => ({
    async execute() {
      await ctx.state.set('begun', true);
      for await (const go of ctx.state.watch('go')) if (go) return 'old';
    },
  }));
`;
/** Answers with all inputs so far, and which version had each. */
const remembering = (version: number): string => `
  export default {
    execute: (input) => seen.push({ version: ${String(version)}, input }) && [...seen],
    snapshot: () => seen,
    restore: (saved) => { seen.push(...saved); },
  };
  const seen = [];`;
const NO_STATE = `export default { execute: (input) => ({ version: 2, count: 0, input }) };`;

describe('a reload', () => {
  it('puts the new code in the place of the old, with its state', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    await plugin.execute('a');
    await write(counting(2));
    expect(await plugin.reload()).toEqual({
      ok: true,
      from: { version: '1.0.0', generation: 1 },
      to: { version: '1.0.0', generation: 2 },
      attempts: 1,
      statePreserved: true,
      durationMs: expect.any(Number) as number,
    });
    expect(await plugin.execute('b')).toEqual({ version: 2, count: 2, input: 'b' });
  });

  it('takes over metadata and config of plugin.json', async () => {
    const manager = createManager();
    const source = `export default { execute: () => 1 };`;
    const { plugin, write } = await changing(manager, source, { version: '1.0.0' });
    await write(
      JSON.stringify({
        id: 'changing',
        type: 'storage',
        version: '1.1.0',
        capabilities: ['rules'],
        entry: 'plugin.mjs',
        config: { limit: 7 },
        concurrency: 2,
      }),
      'plugin.json',
    );
    const result = await plugin.reload();
    expect(result).toMatchObject({ ok: true, statePreserved: false, to: { version: '1.1.0' } });
    expect(manager.listPlugins()).toMatchObject([{ version: '1.1.0', type: 'storage' }]);
    expect(manager.getByType('storage')).toEqual(['changing']);
    expect(manager.findByCapability('rules')).toEqual(['changing']);
  });

  it('tells what is true, and no change of state', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    const events = recordEvents(manager);
    const states = recordStates(manager, plugin.id);
    await write(counting(2));
    const { from, to } = await plugin.reload();
    expect(states).toEqual([]);
    expect(
      events
        .filter(({ type }) => type.startsWith('re') || type.startsWith('state'))
        .map(({ type }) => type),
    ).toEqual(['reload-started', 'state-preserved', 'state-restored', 'reload-completed']);
    expect(eventsOf(events, 'reload-completed')).toMatchObject([
      { id: plugin.id, generation: 2, from, to, attempts: 1, statePreserved: true },
    ]);
  });

  it('leaves counters, dead letters and the numbering of lives as they were', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    await plugin.execute('a');
    await write(counting(2));
    await plugin.reload();
    await plugin.execute('b');
    expect(await plugin.stats()).toMatchObject({
      generation: 2,
      calls: { started: 2, succeeded: 2, inFlight: 0, queued: 0 },
    });
  });

  it('carries no state where one of them has no hook for it', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    await plugin.execute('a');
    await write(NO_STATE);
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: false });
    expect(await plugin.execute('b')).toMatchObject({ version: 2, count: 0 });
  });

  it('carries no state where it is not to', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), {
      reload: { preserveState: false },
    });
    await plugin.execute('a');
    await write(counting(2));
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: false });
    expect(await plugin.execute('b')).toMatchObject({ version: 2, count: 1 });
  });

  it('lets a begun call end at the old version, while the new one serves', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, UNTIL_TOLD, { file: 'plugin.ts' });
    const begun = plugin.execute('begun');
    await eventually(async () => (await manager.context.state.get('begun')) === true);
    const waiting = plugin.execute('waiting');
    await write(counting(2));
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: false });
    expect(await waiting).toMatchObject({ version: 2, count: 1 });
    expect((await plugin.stats())?.calls).toMatchObject({ started: 2, succeeded: 1, inFlight: 1 });
    await manager.context.state.set('go', true);
    expect(await begun).toBe('old');
  });

  it('ends the old version after its time, with what it is inside of', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, UNTIL_TOLD, {
      file: 'plugin.ts',
      reload: { drainTimeoutMs: 50 },
      limits: { stopTimeoutMs: 50 },
    });
    const begun = plugin.execute('begun');
    await eventually(async () => (await manager.context.state.get('begun')) === true);
    await write(counting(2));
    const events = recordEvents(manager);
    expect(await plugin.reload()).toMatchObject({ ok: true });
    await expect(begun).rejects.toMatchObject({ code: 'PLUGIN_STOPPED' });
    const warned = await eventually(() => eventsOf(events, 'warning').at(0) ?? false);
    expect(warned).toMatchObject({
      generation: 1,
      message: expect.stringContaining('did not end in good order') as string,
    });
    expect(await plugin.execute('after')).toMatchObject({ version: 2 });
  });

  it('keeps the order of calls: those before it, then those that came while it was under way', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, remembering(1));
    await write(remembering(2));
    const calls = [];
    const reload = plugin.reload();
    let input = 0;
    const under = { way: true };
    void reload.then(() => (under.way = false));
    while (under.way) {
      for (let each = 0; each < 5; each++) calls.push(plugin.execute(input++));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await reload).toMatchObject({ ok: true, statePreserved: true });
    calls.push(plugin.execute(input++));
    await Promise.all(calls);
    const seen = (await calls.at(-1)) as unknown as { version: number; input: number }[];
    expect(seen.map((each) => each.input)).toEqual(calls.map((_, i) => i));
    const versions = seen.map(({ version }) => version);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions)).toEqual(new Set([1, 2]));
  });

  it('leaves a paused plugin paused, and calls wait for the new version', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    await plugin.execute('a');
    await plugin.pause();
    const waiting = plugin.execute('b');
    await write(counting(2));
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: true });
    expect(plugin.state).toBe('paused');
    await plugin.resume();
    expect(await waiting).toEqual({ version: 2, count: 2, input: 'b' });
  });

  it('of a plugin without a life takes effect when that is loaded', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    await plugin.unload();
    await write(counting(2));
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: false });
    expect(plugin.state).toBe('unloaded');
    await manager.up();
    expect(await plugin.execute('a')).toMatchObject({ version: 2 });
  });

  it('brings back a plugin that failed', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(
      manager,
      `export default { execute: () => process.exit(3) };`,
      {
        restart: { intensity: 0 },
      },
    );
    await plugin.execute('a').catch(() => undefined);
    await eventually(() => plugin.state === 'failed');
    const states = recordStates(manager, plugin.id);
    await write(counting(2));
    expect(await plugin.reload()).toMatchObject({ ok: true });
    expect(states).toEqual(['failed → running']);
    expect(await plugin.execute('b')).toMatchObject({ version: 2 });
  });

  it('during another one is the next, and all that ask meanwhile share it', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    const first = plugin.reload();
    await write(counting(2));
    const [second, third] = [plugin.reload(), plugin.reload()];
    expect((await first).to).toMatchObject({ generation: 2 });
    expect((await second).to).toMatchObject({ generation: 3 });
    expect(await third).toBe(await second);
    expect(await plugin.execute('a')).toMatchObject({ version: 2 });
  });

  it('of an id that is not known rejects', async () => {
    const manager = createManager();
    await expect(manager.reload('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('gives way to a stop', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    await write(counting(2, 'init: () => (console.log("init"), new Promise(() => undefined)),'));
    const reload = plugin.reload();
    await nextEvent(manager, 'log', ({ message }) => message === 'init');
    await plugin.unload();
    expect(await reload).toMatchObject({ ok: false, error: { code: 'RELOAD_FAILED' } });
    expect(plugin.state).toBe('unloaded');
  });

  it('of all plugins goes through them, whatever becomes of each', async () => {
    const manager = createManager();
    const good = await changing(manager, counting(1), { id: 'good' });
    const bad = await changing(manager, counting(1), { id: 'bad' });
    await good.write(counting(2));
    await bad.write('export default {');
    const results = await manager.reloadAll();
    expect([...results].map(([id, { ok }]) => [id, ok])).toEqual([
      ['good', true],
      ['bad', false],
    ]);
    expect(await good.plugin.execute(1)).toMatchObject({ version: 2 });
    expect(await bad.plugin.execute(1)).toMatchObject({ version: 1 });
  });

  it('under load loses no call and answers none twice', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    const caller = callOn(plugin);
    for (const version of [2, 3, 4, 5]) {
      await write(counting(version));
      expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: true });
    }
    const answers = await caller.stop();
    expect(answers.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual(
      answers.map((_, i) => i + 1),
    );
    expect(new Set(answers.map(({ version }) => version))).toEqual(new Set([1, 2, 3, 4, 5]));
  });

  it('loses no call whose buffer was moved, and keeps nobody waiting for one', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager);
    const over = new AbortController();
    const callers = [1, 2, 3].map(async () => {
      while (!over.signal.aborted) {
        const buffer = new ArrayBuffer(8);
        await plugin.execute(buffer, { transfer: [buffer] });
      }
    });
    for (const version of [2, 3, 4, 5, 6]) {
      await write(counting(version));
      expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: true });
    }
    over.abort();
    await Promise.all(callers);
    expect((await plugin.stats())?.calls).toMatchObject({ inFlight: 0, queued: 0 });
  });
});
