import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, it } from 'vitest';

import type { Access } from '../../src/protocol/manifest.ts';
import { accessToLoad, type FileFacts } from '../../src/supervisor/load-paths.ts';

const ROOT = path.resolve('/');
const at = (name: string): string => path.join(ROOT, ...name.split('/'));

interface Scene {
  access?: Partial<Access>;
  entry?: string;
  entryUrl?: string;
  module?: string;
  files?: string[];
  folders?: string[];
  links?: Record<string, string>;
}

function readOf({
  access = {},
  files = [],
  folders = [],
  links = {},
  ...modules
}: Scene): string[] {
  const entry = modules.entry ?? pathToFileURL(at('app/plugin/p.mjs')).href;
  const facts: FileFacts = {
    kindOf: (file) => {
      if (folders.map(at).includes(file)) return 'folder';
      return files.map(at).includes(file) ? 'file' : undefined;
    },
    realPath: (file) => {
      const link = Object.keys(links).find((from) => at(from) === file);
      return link === undefined ? file : at(links[link] ?? '');
    },
  };
  const given: Access = {
    read: [],
    write: [],
    childProcess: false,
    worker: false,
    addons: false,
    ...access,
  };
  const { entryUrl = entry } = modules;
  const { module } = modules;
  const loading = {
    plan: { entry: new URL(entry), modules: module ? { beside: pathToFileURL(at(module)) } : {} },
    entryUrl,
    modules: module ? { beside: pathToFileURL(at(module)).href } : {},
    runtime: at('lib/troupe/dist'),
  };
  return [...accessToLoad(given, loading, facts).read].toSorted();
}

describe('to be loaded, a plugin reads', () => {
  it('its own folder, its entry and the runtime', () => {
    expect(readOf({})).toEqual(
      [at('app/plugin'), at('app/plugin/p.mjs'), at('lib/troupe/dist')].toSorted(),
    );
  });

  it('a module beside its entry, and the folder of that', () => {
    expect(readOf({ module: 'app/rules/r.mjs' })).toEqual(
      [
        at('app/plugin'),
        at('app/plugin/p.mjs'),
        at('lib/troupe/dist'),
        at('app/rules'),
        at('app/rules/r.mjs'),
      ].toSorted(),
    );
  });

  it('the packages from there upwards, and no others', () => {
    const folders = ['app/node_modules', 'node_modules', 'lib/node_modules', 'app/x/node_modules'];
    expect(readOf({ folders })).toEqual(
      expect.arrayContaining(['app/node_modules', 'node_modules', 'lib/node_modules'].map(at)),
    );
    expect(readOf({ folders })).not.toContain(at('app/x/node_modules'));
  });

  it('every package.json from there upwards: a package may import itself', () => {
    const files = ['app/package.json', 'package.json', 'lib/troupe/package.json'];
    const read = readOf({ files: [...files, 'data/package.json'] });
    expect(read).toEqual(expect.arrayContaining(files.map(at)));
    expect(read).not.toContain(at('data/package.json'));
  });

  it('no packages from what it is given to read', () => {
    const folders = ['data/node_modules'];
    expect(readOf({ folders, access: { read: [at('data')] } })).not.toContain(
      at('data/node_modules'),
    );
  });

  it('the bundle, where it was made from TypeScript', () => {
    const bundle = at('tmp/cache/p-1.mjs');
    const read = readOf({ entryUrl: pathToFileURL(bundle).href });
    expect(read).toContain(bundle);
    expect(read).not.toContain(at('tmp/cache'));
  });

  it('of a data: URL nothing but the runtime', () => {
    expect(readOf({ entry: 'data:text/javascript,export default 1' })).toEqual([
      at('lib/troupe/dist'),
    ]);
  });

  it('what links lead to as well', () => {
    const links = { 'lib/troupe/dist': 'src/troupe/dist', 'app/plugin/p.mjs': 'app/real/p.mjs' };
    expect(readOf({ links })).toEqual(
      [
        at('app/plugin/p.mjs'),
        at('app/real'),
        at('app/real/p.mjs'),
        at('lib/troupe/dist'),
        at('src/troupe/dist'),
      ].toSorted(),
    );
  });

  it('everything, where it may', () => {
    expect(readOf({ access: { read: ['*'] } })).toContain('*');
  });
});
