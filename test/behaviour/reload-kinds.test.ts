import type { PluginSpec } from 'troupe';
import { describe, expect, it } from 'vitest';

import { recordEvents, recordStates } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';
import { createManager } from '../support/manager.ts';
import { callOn, changing, counting, replaceFile, type Counted } from '../support/reloading.ts';

const hookless = (version: number): string =>
  counting(version)
    .replace(/snapshot.*/, '')
    .replace(/restore.*/, '');

const STATELESS = (version: number): string =>
  `export default { execute: (input) => ({ version: ${String(version)}, count: 0, input }) };`;

/** Says which replica it is; the second one does not want to be, for that reason. */
const replicated = (version: number, why = ''): string => `
  import { definePlugin } from 'troupe/plugin';
  export default definePlugin((ctx) => ({
    init() { if (ctx.replica === 1 && ${JSON.stringify(why)}) throw new Error(${JSON.stringify(why)}); },
    execute: () => ({ version: ${String(version)}, replica: ctx.replica }),
  }));`;

const KINDS: [string, Partial<PluginSpec>, (version: number) => string, boolean][] = [
  ['a process', { isolation: 'process' }, counting, true],
  ['a pool', { isolation: 'pool', threads: 2 }, STATELESS, false],
  ['a set of replicas', { isolation: 'thread', replicas: 2 }, counting, true],
  ['a concurrent plugin', { isolation: 'thread', concurrency: 8 }, counting, true],
];

describe('a reload of', () => {
  it.each(KINDS)(
    '%s loses no call, and no answer comes twice',
    async (_, spec, source, stateful) => {
      const manager = createManager();
      const { plugin, write } = await changing(manager, source(1), spec);
      const states = recordStates(manager, plugin.id);
      const caller = callOn(plugin, 6);
      await eventually(() => caller.answers.length > 50);
      await write(source(2));
      expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: stateful });
      expect(await plugin.execute('after')).toMatchObject({ version: 2 });
      const answers = await caller.stop();
      expect(answers.map(({ input }) => input)).toEqual(answers.map((_answer, i) => i));
      expect(states).toEqual([]);
      const calls = (await plugin.stats())?.calls;
      expect(calls).toMatchObject({ started: answers.length + 1, succeeded: answers.length + 1 });
    },
  );

  it('a set of replicas changes all of them at once, or none', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, replicated(1), {
      isolation: 'thread',
      replicas: 2,
      file: 'plugin.ts',
    });
    await write(replicated(2, 'not here'));
    const refused = await plugin.reload();
    expect([refused.ok, refused.error?.message]).toEqual([
      false,
      expect.stringContaining('not here'),
    ]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => plugin.execute(1)));
    expect(new Set(answers.map(({ version }) => version))).toEqual(new Set([1]));
    await write(replicated(3));
    expect(await plugin.reload()).toMatchObject({ ok: true });
    const after = await Promise.all(Array.from({ length: 8 }, () => plugin.execute(1)));
    expect(new Set(after.map(({ version }) => version))).toEqual(new Set([3]));
    expect((await plugin.stats())?.replicas).toHaveLength(2);
  });

  it('a script takes new code, with its state where it has the hooks', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), { host: 'script' });
    await plugin.execute('a');
    await write(counting(2));
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: true });
    expect(await plugin.execute('b')).toEqual({ version: 2, count: 2, input: 'b' });
  });

  it('a script without the hooks begins anew with new code, and is whole with the same', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, hookless(1), { host: 'script' });
    await plugin.execute('a');
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: true });
    expect(await plugin.execute('b')).toMatchObject({ version: 1, count: 2 });
    await write(hookless(2));
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: false });
    expect(await plugin.execute('c')).toMatchObject({ version: 2, count: 1 });
  });

  it('a script without the hooks begins anew with a new config, of which its state may be made', async () => {
    const manager = createManager();
    const source = `const { limit } = ctx.config; let count = 0;
      export default { execute: (input) => ({ version: limit, count: ++count, input }) };`;
    const spec = { host: 'script', config: { limit: 1 } } as const;
    const { plugin, write, manifest } = await changing(manager, source, spec);
    expect(await plugin.execute('a')).toEqual({ version: 1, count: 1, input: 'a' });
    await write(JSON.stringify({ ...manifest, config: { limit: 2 } }), 'plugin.json');
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: false });
    expect(await plugin.execute('b')).toEqual({ version: 2, count: 1, input: 'b' });
  });

  it('a thread may become a process, and one actor several', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), { isolation: 'thread' });
    await plugin.execute('a');
    const manifest = { id: 'changing', type: 'tool', entry: 'plugin.mjs' };
    await write(JSON.stringify({ ...manifest, isolation: 'process' }), 'plugin.json');
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: true });
    expect(await plugin.execute('b')).toMatchObject({ count: 2 });
    await write(JSON.stringify({ ...manifest, replicas: 2 }), 'plugin.json');
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: true });
    expect((await plugin.stats())?.replicas).toHaveLength(2);
  });

  it('a child of a group leaves its siblings alone, and the group decides about it as before', async () => {
    const manager = createManager();
    const folder = await temporaryFolder({
      'store.mjs': counting(1),
      'user.mjs': counting(1),
    });
    const child = (id: string): PluginSpec => ({
      id,
      type: 'tool',
      entry: `${folder}/${id}.mjs`,
      isolation: 'thread',
      reload: { attempts: 1 },
    });
    const group = await manager.group('web', { strategy: 'one-for-all', intensity: 5 }, [
      child('store'),
      child('user'),
    ]);
    const events = recordEvents(manager);
    await replaceFile(
      `${folder}/store.mjs`,
      counting(2).replace('(input) =>', '(input) => input === "end" ? process.exit(1) :'),
    );
    expect(await manager.reload('store')).toMatchObject({ ok: true });
    expect(group.list()).toMatchObject([
      { id: 'store', state: 'running' },
      { id: 'user', state: 'running', generation: 1 },
    ]);
    expect(events.some(({ type }) => type === 'restarting')).toBe(false);
    await manager.execute('store', 'end').catch(() => undefined);
    await eventually(() => {
      expect(group.list()).toMatchObject([
        { id: 'store', state: 'running' },
        { id: 'user', state: 'running', generation: 2 },
      ]);
    });
    expect(await manager.execute<Counted>('store', 'a')).toMatchObject({ version: 2 });
  });

  it('a version that crashes after the switch is supervised as any other', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), {
      restart: { intensity: 3 },
    });
    await write(
      counting(2).replace('(input) =>', '(input) => input === "end" ? process.exit(1) :'),
    );
    expect(await plugin.reload()).toMatchObject({ ok: true });
    await expect(plugin.execute('end')).rejects.toMatchObject({ code: 'PLUGIN_CRASHED' });
    expect(await plugin.execute('after')).toMatchObject({ version: 2, count: 1 });
    expect((await plugin.stats())?.restarts).toBe(1);
  });

  it('a plugin whose old version crashes while it leaves rejects what had begun there, and no more', async () => {
    const manager = createManager();
    const source = `
      import { definePlugin } from 'troupe/plugin';
      export default definePlugin((ctx) => ({
        async execute() {
          await ctx.state.set('begun', true);
          for await (const go of ctx.state.watch('go')) if (go) process.exit(1);
        },
      }));`;
    const { plugin, write } = await changing(manager, source, { file: 'plugin.ts' });
    const begun = plugin.execute('begun');
    await eventually(async () => (await manager.context.state.get('begun')) === true);
    await write(counting(2));
    expect(await plugin.reload()).toMatchObject({ ok: true });
    const states = recordStates(manager, plugin.id);
    await manager.context.state.set('go', true);
    await expect(begun).rejects.toMatchObject({ code: 'PLUGIN_CRASHED' });
    expect(await plugin.execute('a')).toMatchObject({ version: 2 });
    expect(states).toEqual([]);
    expect(await plugin.stats()).toMatchObject({ restarts: 0, generation: 2 });
  });
});
