import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { eventsOf, nextEvent, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';
import { createManager } from '../support/manager.ts';
import { changing, counting, replaceFile } from '../support/reloading.ts';

const WATCH = { reload: { watch: true, debounceMs: 20, attempts: 1 } } as const;

describe('a watched plugin', () => {
  it('is reloaded when its file is replaced', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), WATCH);
    const completed = nextEvent(manager, 'reload-completed');
    await write(counting(2));
    expect(await completed).toMatchObject({ id: plugin.id, attempts: 1, statePreserved: true });
    expect(await plugin.execute('a')).toMatchObject({ version: 2 });
  });

  it('serves on through a broken edit, and takes the mended one', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), WATCH);
    const failed = nextEvent(manager, 'reload-failed');
    await write('export default {');
    expect((await failed).error.code).toBe('RELOAD_FAILED');
    expect(await plugin.execute('a')).toMatchObject({ version: 1 });
    const completed = nextEvent(manager, 'reload-completed');
    await write(counting(3));
    await completed;
    expect(await plugin.execute('b')).toMatchObject({ version: 3, count: 2 });
  });

  it('is left alone where nothing in its files is different', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), WATCH);
    const events = recordEvents(manager);
    await write(counting(1));
    await write('{}', 'beside.json');
    const completed = nextEvent(manager, 'reload-completed');
    await write(counting(2));
    await completed;
    expect(eventsOf(events, 'reload-started')).toHaveLength(1);
    expect((await plugin.stats())?.generation).toBe(2);
  });

  it('is reloaded when a file that it imports changes, and when its plugin.json does', async () => {
    const manager = createManager();
    const source = `import { rule } from './rules/rule.ts'; export default { execute: () => rule };`;
    const folder = await temporaryFolder({
      'plugin.json': manifest({ entry: 'plugin.ts' }),
      'plugin.ts': source,
      'rules/rule.ts': 'export const rule: number = 1;',
    });
    await manager.register(folder);
    await manager.up();
    expect(await manager.execute('watched')).toBe(1);
    const first = nextEvent(manager, 'reload-completed');
    await replaceFile(path.join(folder, 'rules/rule.ts'), 'export const rule: number = 2;');
    await first;
    expect(await manager.execute('watched')).toBe(2);
    const second = nextEvent(manager, 'reload-completed');
    await replaceFile(
      path.join(folder, 'plugin.json'),
      manifest({ entry: 'plugin.ts', version: '1.2.0' }),
    );
    expect((await second).to.version).toBe('1.2.0');
  });

  it.each([
    ['load', 'export default {'],
    ['init', 'export default { execute: () => 1, init() { throw new Error("not yet"); } };'],
  ])('that failed in %s on its way up comes up once it is mended', async (_, broken) => {
    const manager = createManager();
    const folder = await temporaryFolder({
      'plugin.json': manifest({ entry: 'plugin.mjs' }),
      'plugin.mjs': broken,
    });
    await manager.register(folder);
    await expect(manager.up()).rejects.toThrow('could not bring up');
    const completed = nextEvent(manager, 'reload-completed');
    await replaceFile(path.join(folder, 'plugin.mjs'), 'export default { execute: () => 2 };');
    await completed;
    expect(await manager.execute('watched')).toBe(2);
  });

  it.each([
    ['module', 'plugin.mjs'],
    ['script', 'plugin.js'],
  ] as const)('takes an import that comes later, also with its folder: %s', async (host, entry) => {
    const manager = createManager();
    const folder = await temporaryFolder({
      'plugin.json': manifest({ entry, host }),
      [entry]: 'export default { execute: () => 1 };',
    });
    await manager.register(folder);
    await manager.up();
    const failed = nextEvent(manager, 'reload-failed');
    const source = `import { rule } from './rules/more/rule.js'; export default { execute: () => rule };`;
    await replaceFile(path.join(folder, entry), source);
    await failed;
    expect(await manager.execute('watched')).toBe(1);
    const completed = nextEvent(manager, 'reload-completed');
    await mkdir(path.join(folder, 'rules'));
    await mkdir(path.join(folder, 'rules/more'));
    await writeFile(path.join(folder, 'rules/more/package.json'), '{ "type": "module" }');
    await writeFile(path.join(folder, 'rules/more/rule.js'), 'export const rule = 2;');
    await completed;
    expect(await manager.execute('watched')).toBe(2);
  });

  it('is reloaded once for many changes in a row', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), {
      reload: { ...WATCH.reload, debounceMs: 300 },
    });
    const events = recordEvents(manager);
    const completed = nextEvent(manager, 'reload-completed');
    for (let version = 2; version <= 6; version++) await write(counting(version));
    await completed;
    expect(await plugin.execute('a')).toMatchObject({ version: 6 });
    expect(eventsOf(events, 'reload-started')).toHaveLength(1);
  });

  it('is reloaded at once where that is wanted, however long others wait', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), {
      reload: { watch: true, strategy: 'immediate', debounceMs: 3_600_000 },
    });
    const completed = nextEvent(manager, 'reload-completed');
    await write(counting(2));
    expect((await completed).id).toBe(plugin.id);
    expect(await plugin.execute('a')).toMatchObject({ version: 2 });
  });

  it('is reloaded once it has no call where it is to be idle', async () => {
    const manager = createManager();
    const source = `
      import { definePlugin } from 'troupe/plugin';
      export default definePlugin((ctx) => ({
        async execute() {
          await ctx.state.set('begun', true);
          for await (const go of ctx.state.watch('go')) if (go) return 'old';
        },
      }));`;
    const { plugin, write } = await changing(manager, source, {
      file: 'plugin.ts',
      reload: { watch: true, strategy: 'idle', debounceMs: 20 },
    });
    const other = await changing(manager, counting(1), { ...WATCH, id: 'other' });
    const events = recordEvents(manager);
    const begun = plugin.execute('begun');
    await eventually(async () => (await manager.context.state.get('begun')) === true);
    await write(counting(2));
    // another one that changes later is reloaded meanwhile
    const meanwhile = nextEvent(manager, 'reload-completed');
    await other.write(counting(2));
    expect((await meanwhile).id).toBe('other');
    expect(eventsOf(events, 'reload-started').map(({ id }) => id)).toEqual(['other']);
    const completed = nextEvent(manager, 'reload-completed');
    await manager.context.state.set('go', true);
    expect(await begun).toBe('old');
    expect((await completed).id).toBe(plugin.id);
    expect(await plugin.execute('a')).toMatchObject({ version: 2 });
  });

  it('is not reloaded by itself where that is left to hand', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), {
      reload: { watch: true, strategy: 'manual' },
    });
    const other = await changing(manager, counting(1), { ...WATCH, id: 'other' });
    const completed = nextEvent(manager, 'reload-completed');
    await write(counting(2));
    await other.write(counting(2));
    expect((await completed).id).toBe('other');
    expect(await plugin.execute('a')).toMatchObject({ version: 1 });
    await plugin.reload();
    expect(await plugin.execute('b')).toMatchObject({ version: 2 });
  });

  it('is left alone once it is unregistered', async () => {
    const manager = createManager();
    const { plugin, write } = await changing(manager, counting(1), WATCH);
    const events = recordEvents(manager);
    await plugin.unregister();
    await write(counting(2));
    const other = await changing(manager, counting(1), { ...WATCH, id: 'other' });
    const completed = nextEvent(manager, 'reload-completed');
    await other.write(counting(2));
    await completed;
    expect(eventsOf(events, 'reload-started').map(({ id }) => id)).toEqual(['other']);
  });
});

describe('a watched folder', () => {
  it('brings up what appears in it, and lets go what goes', async () => {
    const manager = createManager();
    const root = await temporaryFolder();
    expect(await manager.discover(root, { watch: true })).toEqual([]);
    await manager.up();
    const elsewhere = await temporaryFolder({
      'late/plugin.json': manifest({ id: 'late' }),
      'late/plugin.mjs': counting(1),
    });
    const discovered = nextEvent(manager, 'discovered');
    await rename(path.join(elsewhere, 'late'), path.join(root, 'late'));
    expect(await discovered).toMatchObject({ id: 'late', folder: path.join(root, 'late') });
    await running(manager, 'late');
    expect(await manager.execute('late', 'a')).toMatchObject({ version: 1, count: 1 });
    const removed = nextEvent(manager, 'removed');
    await rm(path.join(root, 'late'), { recursive: true });
    expect(await removed).toMatchObject({ id: 'late', folder: path.join(root, 'late') });
    expect(manager.listPlugins()).toEqual([]);
  });

  it('takes a plugin once its plugin.json is mended', async () => {
    const manager = createManager();
    const root = await temporaryFolder();
    await manager.discover(root, { watch: true });
    const warned = nextEvent(manager, 'warning');
    await mkdir(path.join(root, 'late'));
    await writeFile(path.join(root, 'late/plugin.mjs'), counting(1));
    await writeFile(path.join(root, 'late/plugin.json'), '{');
    expect((await warned).message).toContain('is not JSON');
    const discovered = nextEvent(manager, 'discovered');
    await replaceFile(path.join(root, 'late/plugin.json'), manifest({ id: 'late' }));
    expect((await discovered).id).toBe('late');
    expect(manager.state('late')).toBe('unloaded');
  });
});

function manifest(fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ id: 'watched', type: 'tool', entry: 'plugin.mjs', ...WATCH, ...fields });
}

function running(manager: PluginManager, id: string): Promise<boolean> {
  return eventually(() => manager.state(id) === 'running');
}
