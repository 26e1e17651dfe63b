/** The template of a custom plugin, registered by its folder as any user's is. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { PluginHandle, PluginManager } from 'troupe';
import { describe, expect, expectTypeOf, it } from 'vitest';

import type { WordInput, WordOutput } from '../../plugins/custom/plugin.ts';
import { temporaryFolder } from '../support/files.ts';
import { createManager } from '../support/manager.ts';
import { causeOf, failureOf } from '../support/outcomes.ts';

type Template = typeof import('../../plugins/custom/plugin.ts');

const FOLDER = new URL('.', import.meta.resolve('troupe/plugins/custom/plugin.json'));

async function runTemplate(manager: PluginManager): Promise<PluginHandle<WordInput, WordOutput>> {
  const words = await manager.register<Template>(FOLDER);
  await manager.up();
  return words;
}

describe('the template of a custom plugin', () => {
  it('is registered by its folder, and typed by its module', async () => {
    const manager = createManager();
    const words = await runTemplate(manager);
    expectTypeOf(words).toEqualTypeOf<PluginHandle<WordInput, WordOutput>>();
    expect(manager.getByType('custom')).toEqual(['word-count']);
    expect(await words.execute({ op: 'add', text: 'One two, two THREE three three.' })).toEqual({
      words: 6,
    });
    expect(await words.execute({ op: 'top', limit: 2 })).toEqual([
      ['three', 3],
      ['two', 2],
    ]);
    expect(await words.stats()).toMatchObject({
      plugin: { differentWords: 3 },
      metrics: [{ kind: 'counter', name: 'words', value: 6 }],
    });
    expect((await words.health()).detail).toEqual({ healthy: true, words: 3 });
  });

  it('keeps its words over a reload', async () => {
    const manager = createManager();
    const words = await runTemplate(manager);
    await words.execute({ op: 'add', text: 'kept' });
    expect(await words.reload()).toMatchObject({ ok: true, statePreserved: true });
    expect(await words.execute({ op: 'top' })).toEqual([['kept', 1]]);
  });

  it('refuses what is no input of its own, with a code of its own', async () => {
    const manager = createManager();
    const words = await runTemplate(manager);
    const wrong = [
      undefined,
      null,
      'add',
      { op: 'drop' },
      { op: 'add' },
      { op: 'add', text: 7 },
      { op: 'top', limit: 'x' },
      { op: 'top', limit: -1 },
    ];
    for (const input of wrong) {
      const error = await failureOf(manager.execute(words.id, input));
      expect(causeOf(error)).toMatchObject({ code: 'E_WORDS_INPUT' });
    }
  });

  it('has its source beside it, which runs as a copy', async () => {
    const folder = await temporaryFolder();
    for (const name of ['plugin.ts', 'plugin.json']) {
      await copyFile(new URL(name, FOLDER), path.join(folder, name));
    }
    const manager = createManager();
    const manifest = JSON.parse(await readFile(path.join(folder, 'plugin.json'), 'utf8')) as object;
    const own = { ...manifest, $schema: undefined, id: 'own', entry: 'plugin.ts' };
    await writeFile(path.join(folder, 'plugin.json'), JSON.stringify(own));
    await manager.register<Template>(folder);
    await manager.up();
    expect(await manager.execute('own', { op: 'add', text: 'a copy' })).toEqual({ words: 2 });
  });

  it('says what is wrong with its config when it is loaded', async () => {
    const manager = createManager();
    const manifest = JSON.parse(await readFile(new URL('plugin.json', FOLDER), 'utf8')) as object;
    const { $schema: _, ...spec } = { $schema: '', ...manifest };
    const wrong = await manager.register({
      ...(spec as { id: string; type: 'custom' }),
      entry: new URL('plugin.js', FOLDER),
      config: { topMax: 0 },
    });
    const error = await failureOf(wrong.load());
    expect(error).toMatchObject({ code: 'LOAD_FAILED' });
    expect(error.message).toContain('config.topMax must be a whole number above 0');
  });
});
