import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, it } from 'vitest';

import { accessOf } from '../../src/kernel/access.ts';
import { PluginError } from '../../src/protocol/errors.ts';
import type { Permissions } from '../../src/protocol/manifest.ts';

const ENTRY = pathToFileURL(path.resolve('/app/plugin/p.mjs'));
const OWN = path.resolve('/app/plugin');

function resolved(permissions: Permissions | undefined, folder?: string, entry = ENTRY) {
  return accessOf({ id: 'p', type: 'tool', entry, permissions }, entry, folder);
}

function refusalOf(permissions: Permissions, entry = ENTRY): PluginError {
  try {
    resolved(permissions, undefined, entry);
  } catch (error) {
    if (error instanceof PluginError) return error;
  }
  throw new Error('it was not refused');
}

describe('a plugin is not restricted', () => {
  it.each([
    ['without permissions', undefined],
    ['with none of them', {}],
    ['by its environment', { env: ['HOME'] }],
    ['by what is undefined', { fs: undefined, childProcess: undefined }],
  ] satisfies [string, Permissions | undefined][])('%s', (_, permissions) => {
    expect(resolved(permissions)).toBeUndefined();
  });
});

describe('a restricted plugin', () => {
  const nothing = { read: [OWN], write: [], childProcess: false, worker: false, addons: false };

  it.each([
    ['fs', { fs: {} }, nothing],
    ['no addons', { addons: false }, nothing],
    ['child processes', { childProcess: true }, { ...nothing, childProcess: true }],
    ['worker threads', { worker: true }, { ...nothing, worker: true }],
    ['addons', { addons: true }, { ...nothing, addons: true }],
    ['nothing', { childProcess: false, worker: false }, nothing],
  ] satisfies [string, Permissions, object][])(
    'that is given %s has that, and reads its own folder',
    (_, permissions, access) => {
      expect(resolved(permissions)).toEqual(access);
    },
  );

  it('without a file has no folder of its own', () => {
    expect(resolved({ fs: {} }, undefined, new URL('data:text/javascript,0'))?.read).toEqual([]);
  });

  it('of a manifest has the folder of its plugin.json, also where the entry is deeper', () => {
    expect(resolved({ fs: {} }, path.resolve('/app'))?.read).toEqual([path.resolve('/app')]);
  });
});

describe('a path of a permission', () => {
  const absolute = path.resolve('/data/x');

  it('may be absolute, a file: URL, or a star', () => {
    const url = pathToFileURL(absolute);
    expect(resolved({ fs: { write: [absolute, url, url.href, '*'] } })?.write).toEqual([
      absolute,
      absolute,
      absolute,
      '*',
    ]);
  });

  it('is relative to the working directory, or to the folder of its plugin.json', () => {
    const relative = { fs: { read: ['data', '../up'] } };
    expect(resolved(relative)?.read.slice(1)).toEqual([
      path.resolve('data'),
      path.resolve('../up'),
    ]);
    expect(resolved(relative, OWN)?.read.slice(1)).toEqual([
      path.join(OWN, 'data'),
      path.resolve('/app/up'),
    ]);
  });

  it('is refused where it is no file: URL', () => {
    const refusal = refusalOf({ fs: { read: [new URL('https://example.org/x')] } });
    expect(refusal).toMatchObject({ code: 'INVALID_SPEC', pluginId: 'p' });
    expect(refusal.message).toContain('"https://example.org/x" is no file: URL');
  });

  it('is refused with a star in it, and so is a plugin whose own folder has one', () => {
    const written = { fs: { read: [pathToFileURL(path.resolve('/data/*/x'))] } };
    expect(refusalOf(written).message).toContain('a path with a * in it');
    const own = refusalOf({ fs: {} }, pathToFileURL(path.resolve('/st*r/p.mjs')));
    expect(own).toMatchObject({ code: 'INVALID_SPEC', data: { field: 'permissions' } });
  });
});
