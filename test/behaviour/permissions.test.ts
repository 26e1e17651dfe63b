import { mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import type { Permissions, PluginHandle, PluginManager } from 'troupe';
import { describe, expect, it, vi } from 'vitest';

import { temporaryFolder, inline } from '../support/files.ts';
import { createManager, EAGER_RESTART, fixture, run, specOf } from '../support/manager.ts';
import { causeOf, failureOf } from '../support/outcomes.ts';
import { runRestricted } from '../support/program.ts';

interface Deed {
  do: string;
  path?: string;
  to?: string;
  text?: string;
  raw?: boolean;
}

const NO_READ = { code: 'ERR_ACCESS_DENIED', permission: 'FileSystemRead' };
const NO_WRITE = { code: 'ERR_ACCESS_DENIED', permission: 'FileSystemWrite' };
const NO_PROGRAM = { code: 'ERR_ACCESS_DENIED', permission: 'ChildProcess' };
const NO_WORKER = { code: 'ERR_ACCESS_DENIED', permission: 'WorkerThreads' };
const NO_API = { code: 'ERR_ACCESS_DENIED', permission: '' };
const OWN_FILE = fileURLToPath(fixture('no-hooks.mjs'));

/** Folders of one test, links of the system resolved: `in/secret` and `out/secret` are there. */
async function ground(): Promise<(name: string) => string> {
  const folder = realpathSync(
    await temporaryFolder({ 'in/secret': 'of in', 'out/secret': 'of out', 'x.node': '' }),
  );
  return (name) => path.join(folder, ...name.split('/'));
}

/** What became of each deed, in short: `resource` depends on the version of Node. */
async function outcomesOf(
  plugin: PluginHandle<Deed, Record<string, unknown>>,
  deeds: readonly Deed[],
): Promise<[string, unknown][]> {
  const outcomes: [string, unknown][] = [];
  for (const deed of deeds) {
    const { resource: _, ...outcome } = await plugin.execute(deed);
    outcomes.push([deed.do, outcome]);
  }
  return outcomes;
}

describe.each(['thread', 'process'] as const)('in a %s', (isolation) => {
  const trespasser = (manager: PluginManager, permissions?: Permissions) =>
    run<Deed, Record<string, unknown>>(manager, 'trespasser.mjs', { isolation, permissions });

  it('a plugin without permissions is not restricted', async () => {
    const at = await ground();
    const plugin = await trespasser(createManager());
    const outcomes = await outcomesOf(plugin, [
      { do: 'read', path: at('out/secret') },
      { do: 'write', path: at('out/new'), text: 'new' },
      { do: 'link', path: at('out/link'), to: at('in') },
      { do: 'spawn' },
      { do: 'worker' },
      { do: 'dlopen', path: at('x.node') },
    ]);
    expect(outcomes).toEqual([
      ['read', { got: 'of out' }],
      ['write', { got: undefined }],
      ['link', { got: undefined }],
      ['spawn', { got: 0 }],
      ['worker', { got: 0 }],
      ['dlopen', { code: 'ERR_DLOPEN_FAILED' }],
    ]);
    expect(await readFile(at('out/new'), 'utf8')).toBe('new');
  });

  it('a plugin that is given nothing is denied all by which it reaches out', async () => {
    const at = await ground();
    const plugin = await trespasser(createManager(), { fs: {} });
    const file = { path: at('out/secret'), to: at('in/moved'), text: 'overwritten' };
    const denied: [string, object][] = [
      ['read', NO_READ],
      ['read, imported by name', NO_READ],
      ['read, promised', NO_READ],
      ['read, promised, by name', NO_READ],
      ['read, called back', NO_READ],
      ['read, as a stream', NO_READ],
      ['read, as a URL', NO_READ],
      ['read, as bytes', NO_READ],
      ['list', NO_READ],
      ['require', NO_READ],
      ['import', NO_READ],
      ['write', NO_WRITE],
      ['write, promised', NO_WRITE],
      ['write, by open', NO_WRITE],
      ['make a folder', NO_WRITE],
      ['link', NO_API],
      ['spawn', NO_PROGRAM],
      ['spawn, in step', NO_PROGRAM],
      ['exec', NO_PROGRAM],
      ['fork', NO_PROGRAM],
      ['worker', NO_WORKER],
      ['binding', NO_API],
      ['dlopen', { code: 'ERR_DLOPEN_DISABLED' }],
    ];
    const outcomes = await outcomesOf(
      plugin,
      denied.map(([deed]) => ({ do: deed, ...file })),
    );
    expect(outcomes).toEqual(denied);
    expect(readFileSync(at('out/secret'), 'utf8')).toBe('of out');
  });

  it('a plugin that is given nothing reads its own folder and its packages, and prints no warning', async () => {
    const manager = createManager();
    const logs: unknown[] = [];
    manager.on('log', (event) => logs.push(event));
    const plugin = await trespasser(manager, { childProcess: false });
    const [read, write, required, imported] = await outcomesOf(plugin, [
      { do: 'read', path: OWN_FILE },
      { do: 'write', path: `${OWN_FILE}.new`, text: '' },
      { do: 'require', path: 'semver/package.json' },
      { do: 'import', path: './no-hooks.mjs' },
    ]);
    expect(read).toEqual(['read', { got: readFileSync(OWN_FILE, 'utf8') }]);
    expect(write).toEqual(['write', NO_WRITE]);
    expect(required).toMatchObject(['require', { got: { name: 'semver' } }]);
    expect(imported).toEqual(['import', { got: ['default'] }]);
    expect(logs).toEqual([]);
  });

  it('a plugin reads and writes what it is given, and nothing beside it', async () => {
    const at = await ground();
    const plugin = await trespasser(createManager(), {
      fs: { read: [at('in')], write: [at('out/later'), at('in/secret')] },
    });
    const outcomes = await outcomesOf(plugin, [
      { do: 'read', path: at('in/secret') },
      { do: 'read', path: at('in/../out/secret') },
      { do: 'list', path: at('in') },
      { do: 'list', path: at('out') },
      { do: 'write', path: at('in/secret'), text: 'changed' },
      { do: 'write', path: at('in/new'), text: '' },
      { do: 'make a folder', path: at('out/later') },
      { do: 'write', path: at('out/later/file'), text: 'later' },
      { do: 'read', path: at('out/later/file') },
      { do: 'write', path: at('out/latest'), text: '' },
      { do: 'spawn' },
    ]);
    expect(outcomes).toEqual([
      ['read', { got: 'of in' }],
      ['read', NO_READ],
      ['list', { got: ['secret'] }],
      ['list', NO_READ],
      ['write', { got: undefined }],
      ['write', NO_WRITE],
      ['make a folder', { got: undefined }],
      ['write', { got: undefined }],
      ['read', NO_READ],
      ['write', NO_WRITE],
      ['spawn', NO_PROGRAM],
    ]);
    expect(readFileSync(at('out/later/file'), 'utf8')).toBe('later');
  });

  it('a star is every path', async () => {
    const at = await ground();
    const permissions = { fs: { read: ['*'], write: ['*'] } };
    const plugin = await trespasser(createManager(), permissions);
    const outcomes = await outcomesOf(plugin, [
      { do: 'read', path: at('out/secret') },
      { do: 'write', path: at('out/new'), text: '' },
      { do: 'link', path: at('out/link'), to: at('in') },
      { do: 'worker' },
    ]);
    expect(outcomes).toEqual([
      ['read', { got: 'of out' }],
      ['write', { got: undefined }],
      ['link', { got: undefined }],
      ['worker', NO_WORKER],
    ]);
  });

  it.each([
    ['childProcess', [{ got: 0 }, NO_WORKER, { code: 'ERR_DLOPEN_DISABLED' }, NO_READ]],
    ['worker', [NO_PROGRAM, { got: 0 }, { code: 'ERR_DLOPEN_DISABLED' }, NO_READ]],
    ['addons', [NO_PROGRAM, NO_WORKER, { code: 'ERR_DLOPEN_FAILED' }, NO_READ]],
  ] as const)('%s: true gives that alone', async (permission, expected) => {
    const at = await ground();
    const plugin = await trespasser(createManager(), { [permission]: true });
    const outcomes = await outcomesOf(plugin, [
      { do: 'spawn, in step' },
      { do: 'worker' },
      { do: 'dlopen', path: at('x.node') },
      { do: 'read', path: at('out/secret') },
    ]);
    expect(outcomes.map(([, outcome]) => outcome)).toEqual(expected);
  });

  it('the environment is restricted by itself', async () => {
    vi.stubEnv('TROUPE_TEST_PERMITTED', 'seen');
    const manager = createManager();
    const plugin = await trespasser(manager, { env: ['TROUPE_TEST_PERMITTED'], fs: {} });
    vi.unstubAllEnvs();
    expect(await plugin.execute({ do: 'environment' })).toEqual({
      got: { TROUPE_TEST_PERMITTED: 'seen' },
    });
  });

  it('a denial reaches the caller as CALL_FAILED with that cause, and the plugin lives on', async () => {
    const at = await ground();
    const plugin = await trespasser(createManager(), { fs: {} });
    const deed = { do: 'read', path: at('out/secret'), raw: true };
    const failure = await failureOf(plugin.execute(deed));
    expect(failure).toMatchObject({ code: 'CALL_FAILED', pluginId: 'trespasser' });
    expect(causeOf(failure).code).toBe('ERR_ACCESS_DENIED');
    expect(causeOf(failure).message).toMatch(/^Access to this API has been restricted/);
    expect(await plugin.execute({ do: 'environment' })).toEqual({ got: {} });
    await expect(plugin.stats()).resolves.toMatchObject({ generation: 1, restarts: 0 });
  });

  it.each([
    ['without addons', { fs: {} }, 'ERR_DLOPEN_DISABLED'],
    ['with addons', { addons: true }, 'ERR_DLOPEN_FAILED'],
  ])('a plugin %s is as restricted after restarts', async (_, permissions, dlopen) => {
    const at = await ground();
    const plugin = await run<Deed, Record<string, unknown>>(createManager(), 'trespasser.mjs', {
      isolation,
      permissions,
      restart: EAGER_RESTART,
    });
    // from the second restart on, a thread may come from the reserve
    for (const generation of [1, 2, 3]) {
      const outcomes = await outcomesOf(plugin, [
        { do: 'read', path: at('out/secret') },
        { do: 'worker' },
        { do: 'dlopen', path: at('x.node') },
      ]);
      expect(outcomes.map(([, outcome]) => outcome)).toEqual([
        NO_READ,
        NO_WORKER,
        { code: dlopen },
      ]);
      expect(await plugin.stats()).toMatchObject({ generation });
      await failureOf(plugin.execute({ do: 'exit' }));
    }
  });

  it('paths of a plugin.json are relative to its folder, all of which can be read', async () => {
    const folder = await temporaryFolder({
      'plugin/plugin.json': JSON.stringify({
        id: 'folded',
        type: 'tool',
        entry: 'code/entry.mjs',
        isolation,
        permissions: { fs: { read: ['../beside'], write: ['data'] } },
      }),
      'plugin/code/entry.mjs': await readFile(fixture('trespasser.mjs'), 'utf8'),
      'plugin/text': 'own',
      'plugin/data/text': 'data',
      'beside/text': 'beside',
      'text': 'above',
    });
    const manager = createManager();
    await manager.register(path.join(folder, 'plugin'));
    await manager.up();
    const outcomes = await outcomesOf(manager.plugin('folded'), [
      { do: 'read', path: path.join(folder, 'plugin/text') },
      { do: 'read', path: path.join(folder, 'beside/text') },
      { do: 'read', path: path.join(folder, 'text') },
      { do: 'write', path: path.join(folder, 'plugin/data/text'), text: '' },
      { do: 'write', path: path.join(folder, 'plugin/text'), text: '' },
    ]);
    expect(outcomes.map(([, outcome]) => outcome)).toEqual([
      { got: 'own' },
      { got: 'beside' },
      NO_READ,
      { got: undefined },
      NO_WRITE,
    ]);
  });

  it('restricted TypeScript finds its bundle, and what lies beside its source', async () => {
    const folder = await temporaryFolder({
      'entry.ts': `
        import { readFileSync } from 'node:fs';
        import { text } from './part.ts';
        export default (file: string | undefined): string =>
          text + readFileSync(file ?? new URL('./beside.txt', import.meta.url), 'utf8');`,
      'part.ts': `export const text: string = 'read: ';`,
      'beside.txt': 'beside',
    });
    const at = await ground();
    const manager = createManager();
    const plugin = await manager.register({
      id: 'typed',
      type: 'tool',
      entry: path.join(folder, 'entry.ts'),
      isolation,
      permissions: { addons: false },
    });
    await manager.up();
    expect(await plugin.execute(undefined)).toBe('read: beside');
    const failure = await failureOf(plugin.execute(at('out/secret')));
    expect(causeOf(failure).code).toBe('ERR_ACCESS_DENIED');
  });

  it.skipIf(process.platform === 'win32')(
    'restricted code finds packages that are linked into a node_modules above it',
    async () => {
      const folder = await temporaryFolder({
        'package.json': '{"type": "module"}',
        'plugin/entry.js': `import { value } from 'linked'; export default () => value;`,
        'node_modules/.store/linked/package.json': '{"main": "index.js"}',
        'node_modules/.store/linked/index.js': `exports.value = require('deeper');`,
        'node_modules/.store/node_modules/deeper/index.js': `module.exports = 'deeper';`,
      });
      symlinkSync('.store/linked', path.join(folder, 'node_modules/linked'));
      symlinkSync(path.join(folder, 'plugin'), path.join(folder, 'installed'));
      const manager = createManager();
      const plugin = await manager.register({
        id: 'linked',
        type: 'tool',
        entry: path.join(folder, 'installed/entry.js'),
        isolation,
        permissions: { fs: {} },
      });
      await manager.up();
      expect(await plugin.execute(undefined)).toBe('deeper');
    },
  );

  it('a restricted data: URL runs', async () => {
    const manager = createManager();
    const entry = inline('export default (n) => n + 1;');
    const plugin = await manager.register({
      ...specOf('echo.mjs', { isolation, permissions: { fs: {} } }),
      entry,
    });
    await manager.up();
    expect(await plugin.execute(1)).toBe(2);
  });

  it('where this process may not start one, loading says so and names the flag', async () => {
    const { stdout, stderr } = await runRestricted('restricted-program.mjs', isolation);
    expect(stderr).toBe('');
    const { code, message, cause } = JSON.parse(stdout) as Record<string, string>;
    expect({ code, cause }).toEqual({ code: 'START_FAILED', cause: 'ERR_ACCESS_DENIED' });
    expect(message).toContain(`may not start a ${isolation} for p`);
    expect(message).toContain(isolation === 'thread' ? '--allow-worker' : '--allow-child-process');
  });
});

describe.skipIf(process.platform === 'win32')('a link out of a granted folder', () => {
  it('is not followed in a thread, and is by Node in a process', async () => {
    const at = await ground();
    mkdirSync(at('granted'));
    symlinkSync(at('out'), at('granted/link'));
    symlinkSync(at('out/made'), at('granted/dangling'));
    const manager = createManager();
    const permissions = { fs: { read: [at('granted')], write: [at('granted')] } };
    const outcomes = new Map<string, unknown>();
    for (const isolation of ['thread', 'process'] as const) {
      const plugin = await run<Deed, Record<string, unknown>>(manager, 'trespasser.mjs', {
        id: isolation,
        isolation,
        permissions,
      });
      const deeds = [
        { do: 'read', path: at('granted/link/secret') },
        { do: 'write', path: at('granted/dangling'), text: '' },
      ];
      const told = await outcomesOf(plugin, deeds);
      outcomes.set(
        isolation,
        told.map(([, outcome]) => outcome),
      );
    }
    expect(Object.fromEntries(outcomes)).toEqual({
      thread: [NO_READ, NO_WRITE],
      process: [{ got: 'of out' }, { got: undefined }],
    });
  });
});
