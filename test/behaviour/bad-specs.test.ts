/** What cannot be registered or loaded, and what it says. DESIGN §3, §10. */
import path from 'node:path';

import { PluginError, type PluginSpec } from 'troupe';
import { describe, expect, it } from 'vitest';

import { inline, temporaryFolder } from '../support/files.ts';
import { createManager, fixture, specOf } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { causeOf, failureOf } from '../support/outcomes.ts';

describe('a spec is refused by the name of its field', () => {
  it.each<[string, object, RegExp]>([
    ['an unknown one', { entri: 'x' }, /entri/],
    ['an unknown one further in', { limits: { callTimeout: 3 } }, /limits\.callTimeout/],
    ['a type that is none', { type: 'robot' }, /type/],
    ['an id that is no string', { id: 7 }, /id/],
    ['an empty id', { id: '' }, /id/],
    ['no entry', { entry: undefined }, /entry/],
    ['a negative timeout', { limits: { callTimeoutMs: -1 } }, /limits\.callTimeoutMs/],
    ['no concurrency at all', { concurrency: 0 }, /concurrency/],
    ['a mailbox without room', { mailbox: { capacity: 0 } }, /mailbox\.capacity/],
    ['a restart type that is none', { restart: { type: 'forever' } }, /restart\.type/],
    ['a version that is none', { version: 'one' }, /version/],
    ['a range that is none', { dependencies: ['store@not a range!'] }, /dependencies/],
    ['priority as text', { priority: 'high' }, /priority/],
    ['a config that cannot be sent', { config: { hook: () => {} } }, /config.*hook/s],
  ])('%s', async (_, fields, message) => {
    const manager = createManager();
    const spec = { ...specOf('echo.mjs'), ...fields };
    const error = await failureOf(manager.register(spec));
    expect(error.code).toBe('INVALID_SPEC');
    expect(error.message).toMatch(message);
    expect(manager.listPlugins()).toEqual([]);
  });

  it('something that is no spec at all', async () => {
    const manager = createManager();
    for (const nothing of [undefined, null, 7, [], {}]) {
      const error = await failureOf(manager.register(nothing as PluginSpec));
      expect(error.code).toBe('INVALID_SPEC');
    }
  });

  it('an id that is taken', async () => {
    const manager = createManager();
    await manager.register(specOf('echo.mjs'));
    const error = await failureOf(manager.register(specOf('echo.mjs')));
    expect(error).toMatchObject({ code: 'ALREADY_REGISTERED', pluginId: 'echo' });
    expect(manager.listPlugins()).toHaveLength(1);
  });
});

describe('code that is no plugin is LOAD_FAILED, with the reason', () => {
  it.each<[string, string, RegExp]>([
    ['a syntax error', 'export default function (', /./],
    ['no default export', 'export const execute = () => 1;', /no default export/],
    ['no execute', 'export default { init() {} };', /execute/],
    ['a default export that is a number', 'export default 7;', /default export/],
    ['an import that is not there', "import 'not-a-package-at-all'; export default () => 1;", /./],
    ['a module that throws', "throw new RangeError('not now'); export default () => 1;", /not now/],
  ])('%s', async (_, source, message) => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const folder = await temporaryFolder({ 'plugin.mjs': source });
    const entry = path.join(folder, 'plugin.mjs');
    const plugin = await manager.register({ id: 'bad', type: 'tool', entry });
    const error = await failureOf(plugin.load());
    expect(error).toMatchObject({ code: 'LOAD_FAILED', pluginId: 'bad' });
    expect(error.message).toMatch(message);
    expect(plugin.state).toBe('failed');
    expect(await manager.stats('bad')).toMatchObject({ generation: 1, restarts: 0 });
    await neighbour.isUnharmed();
  });

  it('a setup that returns no hooks', async () => {
    const manager = createManager();
    const plugin = await manager.register(specOf('no-hooks.mjs'));
    const error = await failureOf(plugin.load());
    expect(error).toMatchObject({ code: 'LOAD_FAILED', pluginId: 'no-hooks' });
    expect(error.message).toContain('execute');
  });

  it('a TypeScript file that does not compile', async () => {
    const manager = createManager();
    const folder = await temporaryFolder({
      'plugin.ts': 'export default (value: number => value;',
    });
    const entry = path.join(folder, 'plugin.ts');
    const plugin = await manager.register({ id: 'bad', type: 'tool', entry });
    const error = await failureOf(plugin.load());
    expect(error).toMatchObject({ code: 'LOAD_FAILED', pluginId: 'bad' });
    expect(error.message).toMatch(/Expected/);
  });

  it('a file that is missing', async () => {
    const manager = createManager();
    const plugin = await manager.register({
      id: 'bad',
      type: 'tool',
      entry: fixture('not-there.mjs'),
    });
    const error = await failureOf(plugin.load());
    expect(error).toMatchObject({ code: 'LOAD_FAILED', pluginId: 'bad' });
    expect(error.message).toContain('not-there.mjs');
    expect(causeOf(error)).toMatchObject({ code: 'ENOENT' });
  });

  it('bytes that are not those of its sha256', async () => {
    const manager = createManager();
    const path = fixture('echo.mjs');
    const plugin = await manager.register({
      ...specOf('echo.mjs'),
      entry: { path, sha256: '0'.repeat(64) },
    });
    const error = await failureOf(plugin.load());
    expect(error).toMatchObject({ code: 'LOAD_FAILED', pluginId: 'echo' });
    expect(error.message).toContain('sha256');
  });
});

describe('a module that never gets ready', () => {
  it.each([
    ['with a timer', 'await new Promise((resolve) => setTimeout(resolve, 1e8));'],
    ['that computes for ever', 'for (;;);'],
  ])('%s is START_TIMEOUT', async (_, source) => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await manager.register({
      id: 'never',
      type: 'tool',
      entry: inline(`${source} export default () => 1;`),
      limits: { startTimeoutMs: 500 },
    });
    const error = await failureOf(plugin.load());
    expect(error).toMatchObject({ code: 'START_TIMEOUT', pluginId: 'never' });
    expect(plugin.state).toBe('failed');
    await neighbour.isUnharmed();
  });

  it('and leaves before it is ready is LOAD_FAILED, not a timeout', async () => {
    const manager = createManager();
    const plugin = await manager.register({
      id: 'gone',
      type: 'tool',
      entry: inline('process.exit(0); export default () => 1;'),
    });
    const error = await failureOf(plugin.load());
    expect(error).toMatchObject({ code: 'LOAD_FAILED', pluginId: 'gone' });
    expect(error.message).toMatch(/exit/);
  });
});

describe('a plugin', () => {
  it.each([
    ['a plain function', 'export default (value) => value;'],
    ['an object with execute', 'export default { execute: (value) => value };'],
  ])('may be %s', async (_, source) => {
    const manager = createManager();
    const plugin = await manager.register({ id: 'plain', type: 'tool', entry: inline(source) });
    await manager.up();
    expect(await plugin.execute('hello')).toBe('hello');
  });

  it('that is not registered has no handle', () => {
    const manager = createManager();
    expect(() => manager.plugin('nobody')).toThrow(PluginError);
    expect(() => manager.state('nobody')).toThrow(/nobody/);
  });
});
