import { writeFile } from 'node:fs/promises';

import type { PluginSpec } from 'troupe';
import { describe, expect, it } from 'vitest';

import { nextEvent } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createManager } from '../support/manager.ts';
import { callOn, changing, counting } from '../support/reloading.ts';

const typed = (version: number): string =>
  counting(version)
    .replace('(input)', '(input: unknown)')
    .replace('(saved)', '(saved: number)')
    .replace('let count', 'let count: number');

const KINDS: [string, Partial<PluginSpec> & { file: string }, (version: number) => string][] = [
  ['module', { file: 'plugin.mjs' }, counting],
  ['script', { file: 'plugin.mjs', host: 'script' }, counting],
  ['module in TypeScript', { file: 'plugin.ts' }, typed],
];

/** Answers with its config; what it is inside of waits for the others to come. */
const MEETING = `
  let inside = 0, meet;
  const met = new Promise((resolve) => { meet = resolve; });
  export default {
    execute: async (guests) => {
      if (++inside >= guests) meet();
      await met;
      return { version: limit, count: inside };
    },
    snapshot: () => 'kept',
    restore() {},
  };`;
const OF_A_MODULE = `import { definePlugin } from 'troupe/plugin';
  let limit;
  ${MEETING.replace('export default {', 'const hooks = {')}
  export default definePlugin((ctx) => { limit = ctx.config.limit; return hooks; });`;
const OF_A_SCRIPT = `const { limit } = ctx.config; ${MEETING}`;

/** More than are sent ahead to a reader that takes none. */
const CHUNKS = 5_000;

describe('a reload of a', () => {
  it.each(KINDS)('%s under load loses no call and answers none twice', async (_, spec, source) => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, source(1), spec);
    const caller = callOn(plugin);
    for (const version of [2, 3, 4]) {
      await write(source(version));
      expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: true });
    }
    await plugin.execute('after');
    const answers = await caller.stop();
    expect(answers.map(({ input }) => input)).toEqual(answers.map((_answer, i) => i));
    expect(new Set(answers.map(({ count }) => count)).size).toBe(answers.length);
    expect((await plugin.stats())?.calls).toMatchObject({
      started: answers.length + 1,
      succeeded: answers.length + 1,
    });
  });

  it.each([
    ['module', { file: 'plugin.ts' }, OF_A_MODULE.replace('let limit;', 'let limit: unknown;')],
    ['script', { file: 'plugin.mjs', host: 'script' }, OF_A_SCRIPT],
  ] as const)('%s takes over config and concurrency', async (_, spec, source) => {
    const manager = createManager();
    const { plugin, write, manifest } = await changing(manager, source, {
      ...spec,
      config: { limit: 1 },
    });
    expect(await plugin.execute(1)).toMatchObject({ version: 1 });
    await write(
      JSON.stringify({ ...manifest, config: { limit: 7 }, concurrency: 2 }),
      'plugin.json',
    );
    expect(await plugin.reload()).toMatchObject({ ok: true, statePreserved: true });
    expect(await Promise.all([plugin.execute(2), plugin.execute(2)])).toEqual([
      { version: 7, count: 2 },
      { version: 7, count: 2 },
    ]);
  });

  it('module lets an open stream end whole', async () => {
    const manager = createManager();
    const source = `export default { async *execute(n) { for (let i = 0; i < n; i++) yield i; } };`;
    const { plugin, write } = await changing(manager, source);
    const reader = plugin.stream(CHUNKS)[Symbol.asyncIterator]();
    const chunks: unknown[] = [(await reader.next()).value];
    await write(counting(2));
    expect(await plugin.reload()).toMatchObject({ ok: true });
    expect((await plugin.stats())?.calls).toMatchObject({ inFlight: 1 });
    for (let next = await reader.next(); !next.done; next = await reader.next()) {
      chunks.push(next.value);
    }
    expect(chunks).toEqual(Array.from({ length: CHUNKS }, (_chunk, i) => i));
    expect(await plugin.execute('after')).toMatchObject({ version: 2 });
  });

  it('plugin that others call all the while is not noticed by them', async () => {
    const manager = createManager();
    const used = await changing(manager, counting(1), { id: 'used' });
    const source = `import { definePlugin } from 'troupe/plugin';
      export default definePlugin((ctx) => ({ execute: (input) => ctx.call('used', input) }));`;
    const user = await changing(manager, source, {
      id: 'user',
      file: 'plugin.ts',
      dependencies: ['used'],
    });
    const caller = callOn(user.plugin);
    await eventually(() => caller.answers.length > 20);
    for (const version of [2, 3]) {
      await used.write(counting(version));
      expect(await used.plugin.reload()).toMatchObject({ ok: true });
    }
    const last = await user.plugin.execute('after');
    const answers = await caller.stop();
    expect(last).toMatchObject({ version: 3 });
    expect(new Set(answers.map(({ count }) => count)).size).toBe(answers.length);
    expect(await user.plugin.stats()).toMatchObject({ generation: 1, restarts: 0 });
  });

  it('whole fleet goes one by one, dependencies first', async () => {
    const manager = createManager();
    await changing(manager, counting(1), { id: 'base' });
    await changing(manager, counting(1), { id: 'above', dependencies: ['base'] });
    await changing(manager, counting(1), { id: 'apart' });
    const order: string[] = [];
    manager.on('reload-started', ({ id }) => order.push(`${id} begins`));
    manager.on('reload-completed', ({ id }) => order.push(`${id} ends`));
    const results = await manager.reloadAll();
    const ids = [...results.keys()];
    expect(ids.toSorted()).toEqual(['above', 'apart', 'base']);
    expect(ids.indexOf('base')).toBeLessThan(ids.indexOf('above'));
    expect(order).toEqual(ids.flatMap((id) => [`${id} begins`, `${id} ends`]));
  });

  it('watched plugin follows a file that is written in place', async () => {
    const manager = createManager();
    const { plugin, folder } = await changing(manager, counting(1), {
      reload: { watch: true, debounceMs: 20, attempts: 1 },
    });
    const completed = nextEvent(manager, 'reload-completed');
    await writeFile(`${folder}/plugin.mjs`, counting(2));
    await completed;
    expect(await plugin.execute('a')).toMatchObject({ version: 2 });
  });
});
