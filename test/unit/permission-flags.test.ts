import path from 'node:path';

import { describe, expect, it } from 'vitest';

import type { Access } from '../../src/protocol/manifest.ts';
import { permissionFlags } from '../../src/supervisor/permission-flags.ts';

const NOTHING: Access = { read: [], write: [], childProcess: false, worker: false, addons: false };
const HERE = path.resolve('/here');
const at = (...names: string[]): string => path.join(HERE, ...names);

/** `.txt` is a file, `new` is not there, anything else is a folder. */
function flagsOf(access: Partial<Access>, known = ['--permission']): string[] {
  return permissionFlags(
    { ...NOTHING, ...access },
    {
      hasFlag: (flag) => known.includes(flag),
      realPath: (file) => file,
      kindOf: (file) => {
        if (file.endsWith('new')) return undefined;
        return file.endsWith('.txt') ? 'file' : 'folder';
      },
    },
  );
}

function readOf(...read: string[]): string[] {
  return flagsOf({ read })
    .filter((flag) => flag.startsWith('--allow-fs-read='))
    .map((flag) => flag.slice('--allow-fs-read='.length));
}

describe('the flags of a plugin that is given nothing', () => {
  it('turn the model on, and its warnings off', () => {
    expect(flagsOf({})).toEqual(['--permission', '--disable-warning=SecurityWarning']);
  });

  it('name the experiment where it is one', () => {
    expect(flagsOf({}, [])).toEqual([
      '--experimental-permission',
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=SecurityWarning',
    ]);
  });
});

it('the network is left alone, also where Node denies it', () => {
  expect(flagsOf({}, ['--permission', '--allow-net']).slice(2)).toEqual(['--allow-net']);
});

describe('the flags of a plugin that is given', () => {
  it.each([
    ['child processes', { childProcess: true }, '--allow-child-process'],
    ['worker threads', { worker: true }, '--allow-worker'],
    ['addons', { addons: true }, '--allow-addons'],
    ['a file to write', { write: [at('a.txt')] }, `--allow-fs-write=${at('a.txt')}`],
    ['a folder to write', { write: [at('a')] }, `--allow-fs-write=${at('a', '*')}`],
    ['every path to write', { write: ['*'] }, '--allow-fs-write=*'],
  ] satisfies [string, Partial<Access>, string][])('%s, say that alone', (_, access, flag) => {
    expect(flagsOf(access).slice(2)).toEqual([flag]);
  });

  it('every path to read and to write, allow WASI as well', () => {
    expect(flagsOf({ read: ['*'], write: ['*', at('a')] }).slice(2)).toEqual([
      '--allow-fs-read=*',
      '--allow-fs-write=*',
      '--allow-wasi',
    ]);
  });
});

describe('a path of a flag', () => {
  it('means all below it where it is a folder', () => {
    expect(readOf(at('a'))).toEqual([at('a', '*')]);
  });

  it('is a file or a folder where nothing is there yet', () => {
    expect(readOf(at('new'))).toEqual([at('new'), at('new', '*')]);
  });

  it('is said once: Node 20 aborts at the second time', () => {
    expect(readOf(at('a'), at('b.txt'), at('a'), at('b.txt'))).toEqual([at('a', '*'), at('b.txt')]);
  });

  it('is left out below another', () => {
    expect(readOf(at('a', 'deep'), at('a'), at('a', 'b.txt'), at('ab'))).toEqual([
      at('a', '*'),
      at('ab', '*'),
    ]);
  });

  it('with a star in it is left out: Node takes it for a wildcard', () => {
    expect(readOf(at('a*'), at('b.txt'))).toEqual([at('b.txt')]);
  });

  it.skipIf(path.sep === '\\')('that is the root means every path', () => {
    expect(readOf('/')).toEqual(['*']);
  });
});
