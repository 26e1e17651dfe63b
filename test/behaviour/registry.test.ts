/** Who is there: listings, discovery and folders. DESIGN §3; FAILURES "Loading". */
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { eventsOf, recordEvents } from '../support/events.ts';
import { temporaryFolder } from '../support/files.ts';
import { createManager, fixture, run, specOf } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';

const FOLDER = fixture('folder/');

describe('listings', () => {
  it('have the metadata, with defaults, and the state', async () => {
    const manager = createManager();
    await run(manager, 'echo.mjs');
    const metadata = {
      id: 'full',
      name: 'The full one',
      type: 'llm',
      version: '1.2.3',
      description: 'with everything',
      author: 'somebody',
      capabilities: ['chat'],
      priority: 7,
      dependencies: ['echo@^1'],
    } as const;
    const { capabilities, dependencies, ...rest } = metadata;
    await manager.register(
      specOf('hooks.mjs', {
        ...rest,
        capabilities: [...capabilities],
        dependencies: [...dependencies],
      }),
    );
    expect(manager.listPlugins()).toEqual([
      {
        id: 'echo',
        name: 'echo',
        type: 'tool',
        version: '1.0.0',
        description: '',
        author: '',
        capabilities: [],
        priority: 0,
        dependencies: [],
        state: 'running',
      },
      { ...metadata, state: 'unloaded' },
    ]);
  });

  it('are copies', async () => {
    const manager = createManager();
    await manager.register(specOf('echo.mjs', { capabilities: ['a'] }));
    manager.listPlugins()[0]?.capabilities.push('b');
    expect(manager.findByCapability('b')).toEqual([]);
  });

  it('by type and by capability are ids', async () => {
    const manager = createManager();
    await manager.register(specOf('echo.mjs', { id: 'a', type: 'llm', capabilities: ['chat'] }));
    await manager.register(specOf('echo.mjs', { id: 'b', type: 'tool', capabilities: ['chat'] }));
    await manager.register(specOf('echo.mjs', { id: 'c', type: 'llm' }));
    expect(manager.getByType('llm')).toEqual(['a', 'c']);
    expect(manager.getByType('monitor')).toEqual([]);
    expect(manager.findByCapability('chat')).toEqual(['a', 'b']);
    expect(manager.findByCapability('nothing')).toEqual([]);
    await manager.unregister('a');
    expect(manager.getByType('llm')).toEqual(['c']);
  });
});

describe('register', () => {
  it.each([
    ['URL', new URL('good/', FOLDER)],
    ['path', fileURLToPath(new URL('good', FOLDER))],
  ])('takes a folder by its %s', async (_, folder) => {
    const manager = createManager();
    const plugin = await manager.register(folder);
    expect(plugin.id).toBe('good');
    expect(manager.listPlugins()).toMatchObject([
      { id: 'good', type: 'llm', version: '2.1.0', capabilities: ['summarize', 'translate'] },
    ]);
    await manager.up();
    expect(await plugin.execute(undefined)).toBe('Comes from a folder');
  });

  it('of a folder without manifest, or with one that is no JSON, says which', async () => {
    const manager = createManager();
    const folder = await temporaryFolder({
      'empty/readme': '',
      'odd/plugin.json': '{ not json',
      'list/plugin.json': '[]',
    });
    for (const name of ['empty', 'odd', 'list', 'not-there']) {
      const error = await failureOf(manager.register(path.join(folder, name)));
      expect(error.code).toBe('INVALID_SPEC');
      expect(error.message).toContain(`${name}/plugin.json`);
    }
  });

  it.each([
    ['a path upwards', '../outside.mjs'],
    ['an encoded one', '%2e%2e/outside.mjs'],
    ['one upwards in the middle', 'sub/../../outside.mjs'],
    ['one of Windows', '..\\outside.mjs'],
    ['an absolute path', '/etc/passwd'],
    ['an absolute path of Windows', 'C:\\outside.mjs'],
    ['a file URL', 'file:///outside.mjs'],
    ['a data URL', 'data:text/javascript,export default () => 1'],
    ['a NUL', 'main.mjs\0.json'],
    ['a link out of the folder', 'link.mjs'],
    ['a linked folder', 'linked/outside.mjs'],
  ])('refuses a manifest whose entry is %s', async (_, entry) => {
    const manager = createManager();
    const folder = await temporaryFolder({
      'outside.mjs': 'export default () => "outside";',
      'plugin/plugin.json': JSON.stringify({ id: 'sly', type: 'tool', entry }),
    });
    await symlink(path.join(folder, 'outside.mjs'), path.join(folder, 'plugin', 'link.mjs'));
    await symlink(folder, path.join(folder, 'plugin', 'linked'));
    const error = await failureOf(manager.register(path.join(folder, 'plugin')));
    expect(error).toMatchObject({ code: 'INVALID_SPEC', pluginId: 'sly' });
    expect(error.message).toContain('entry');
    expect(manager.listPlugins()).toEqual([]);
  });

  it('follows a link to the plugin’s own folder, and one inside of it', async () => {
    const manager = createManager();
    const folder = await temporaryFolder({
      'real/plugin.json': JSON.stringify({ id: 'linked', type: 'tool', entry: 'link.mjs' }),
      'real/main.mjs': 'export default () => "inside";',
    });
    await symlink('main.mjs', path.join(folder, 'real', 'link.mjs'));
    await symlink(path.join(folder, 'real'), path.join(folder, 'alias'));
    await manager.register(path.join(folder, 'alias'));
    await manager.up();
    expect(await manager.execute('linked')).toBe('inside');
  });
});

describe('discover', () => {
  it('registers what is good, and names what is broken', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const error: unknown = await manager.discover(FOLDER).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AggregateError);
    const { errors, message } = error as AggregateError;
    expect(errors).toHaveLength(2);
    expect(message).toContain('broken/plugin.json');
    expect(message).toContain('colour');
    expect(message).toContain('escaping/plugin.json');
    const ids = manager.listPlugins().map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['also-good', 'good']));
    expect(ids).not.toContain('broken');
    expect(ids).not.toContain('escaping');
    expect(eventsOf(events, 'discovered').map(({ id }) => id)).toEqual(ids);
    await manager.up();
    expect(await manager.execute('also-good', 21)).toBe(42);
  });

  it('gives handles where all is good, and nothing where there is nothing', async () => {
    const manager = createManager();
    const folder = await temporaryFolder({
      'a/plugin.json': JSON.stringify({ id: 'a', type: 'tool', entry: 'main.mjs' }),
      'a/main.mjs': 'export default () => "a";',
      'not a plugin/readme': '',
      'plugin.json': 'this one is not below but beside',
    });
    const handles = await manager.discover(folder);
    expect(handles.map(({ id }) => id)).toEqual(['a']);
    const empty = path.join(folder, 'empty');
    await mkdir(empty);
    expect(await manager.discover(empty)).toEqual([]);
  });

  it('of a folder that is not there says so', async () => {
    const manager = createManager();
    await expect(manager.discover(fixture('not-there/'))).rejects.toThrow(/not-there/);
  });

  it('looks one level down: what lies deeper is for whoever lies between', async () => {
    const manager = createManager();
    expect(await manager.discover(new URL('nested/', FOLDER))).toHaveLength(1);
    const another = createManager();
    await another.discover(FOLDER).catch(() => undefined);
    expect(another.listPlugins().map(({ id }) => id)).not.toContain('inner');
  });
});
