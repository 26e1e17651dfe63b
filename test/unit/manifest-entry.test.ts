import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { planOf } from '../../src/kernel/plan.ts';
import { PluginError } from '../../src/protocol/errors.ts';
import type { PluginPlan, PluginSpec } from '../../src/protocol/manifest.ts';

const SPEC: PluginSpec = { id: 'p', type: 'tool', entry: './p.mjs' };

let root = '';
/** A plugin's folder, below the root; beside it lies what it must not reach. */
let folder = '';

beforeAll(() => {
  root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'troupe-plan-')));
  folder = path.join(root, 'plugin');
  mkdirSync(path.join(folder, 'lib'), { recursive: true });
  mkdirSync(path.join(root, 'outside'));
  for (const file of [
    'plugin/p.mjs',
    'plugin/lib/q.mjs',
    'outside/secret.mjs',
    'plugin/..odd.mjs',
  ]) {
    writeFileSync(path.join(root, file), '');
  }
  symlinkSync(path.join(root, 'outside', 'secret.mjs'), path.join(folder, 'link.mjs'));
  symlinkSync(path.join(root, 'outside'), path.join(folder, 'linked'));
  symlinkSync(path.join(root, 'outside', 'not-yet.mjs'), path.join(folder, 'dangling.mjs'));
  symlinkSync(path.join(folder, 'p.mjs'), path.join(folder, 'inner.mjs'));
  symlinkSync(folder, path.join(root, 'alias'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function refusalOf(act: () => unknown): PluginError {
  try {
    act();
  } catch (error) {
    if (error instanceof PluginError) return error;
    throw new Error('refused with something else', { cause: error });
  }
  throw new Error('it was not refused');
}

function fromManifest(entry: string): PluginPlan {
  return planOf({ ...SPEC, entry }, folder);
}

describe('the entry of a manifest', () => {
  it('is a file inside its folder', () => {
    for (const entry of ['p.mjs', './p.mjs', 'lib/q.mjs', './lib/./q.mjs', 'inner.mjs']) {
      expect(fromManifest(entry).entry).toEqual(pathToFileURL(path.join(folder, entry)));
    }
  });

  it('may be missing still: that is told when it is loaded', () => {
    expect(fromManifest('later.mjs').entry).toEqual(pathToFileURL(path.join(folder, 'later.mjs')));
  });

  it('may have any name a file has', () => {
    for (const entry of ['100%.mjs', 'a b.mjs', '..odd.mjs', 'lib/...mjs', 'ünï.mjs']) {
      expect(fromManifest(entry).entry).toEqual(pathToFileURL(path.join(folder, entry)));
    }
  });

  it('is found through a link to its folder', () => {
    const alias = path.join(root, 'alias');
    expect(planOf({ ...SPEC, entry: 'p.mjs' }, alias).entry).toEqual(
      pathToFileURL(path.join(alias, 'p.mjs')),
    );
  });

  const escapes: [string, string][] = [
    ['the folder above', '../outside/secret.mjs'],
    ['the folder above, on the way', 'lib/../../outside/secret.mjs'],
    ['the folder above, with backslashes', '..\\outside\\secret.mjs'],
    ['the folder above, encoded', '%2e%2e/outside/secret.mjs'],
    ['the folder above, slashes encoded', '..%2foutside%2Fsecret.mjs'],
    ['an absolute path', '/etc/passwd'],
    ['an absolute path, encoded', '%2fetc/passwd'],
    ['a drive', 'C:\\secret.mjs'],
    ['a drive, with slashes', 'c:/secret.mjs'],
    ['a share', '\\\\server\\share\\secret.mjs'],
    ['a file URL', 'file:///etc/passwd'],
    ['a file URL in capitals', 'FILE:///etc/passwd'],
    ['a data URL', 'data:text/javascript,process.exit()'],
    ['a data URL, encoded', 'data%3Atext/javascript,1'],
    ['an http URL', 'http://example.org/x.mjs'],
    ['a module of Node', 'node:child_process'],
    ['a NUL', 'p.mjs\0.txt'],
    ['a NUL, encoded', 'p.mjs%00.txt'],
    ['the folder itself', '.'],
    ['a link out', 'link.mjs'],
    ['a file in a linked folder', 'linked/secret.mjs'],
    ['a missing file in a linked folder', 'linked/later.mjs'],
    ['a link that leads nowhere yet, outside', 'dangling.mjs'],
  ];

  it.each(escapes)('is refused where it leaves the folder: %s', (_, entry) => {
    const refusal = refusalOf(() => fromManifest(entry));
    expect(refusal).toMatchObject({
      code: 'INVALID_SPEC',
      pluginId: 'p',
      data: { field: 'entry' },
    });
    expect(refusal.message).toContain("inside the plugin's folder");
    expect(refusal.message).not.toContain(root);
  });
});
