import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

import { describe, expect, it } from 'vitest';

import { needsOf, PATH_USES } from '../../src/actor/guard/fs-table.ts';
import { judgeOf, type Need } from '../../src/actor/guard/judge.ts';
import { realPathOf } from '../../src/actor/guard/real-path.ts';
import { CALL_BACK, REJECT, THROW, wrap } from '../../src/actor/guard/wrap.ts';
import { temporaryFolder } from '../support/files.ts';

const { constants } = fs;

describe('the guard table', () => {
  /** First parameters of functions that take a path, as Node's sources name them. */
  const FIRST_PATH = /^(?:async )?(?:function )?\*?\w*\((?:path|src|oldPath|existingPath|prefix)\b/;

  it.each([
    ['node:fs', fs],
    ['its promises', fs.promises],
  ])('knows each function of %s whose first argument is a path', (_, module) => {
    const found = Object.entries(module)
      .filter(([, value]) => typeof value === 'function' && FIRST_PATH.test(String(value)))
      .map(([name]) => name)
      .filter((name) => !/^[A-Z]/.test(name) && !/^create(Read|Write)Stream$/.test(name));
    expect(found.length).toBeGreaterThan(20);
    const unknown = found.filter((name) => !(name.replace(/Sync$/, '') in PATH_USES));
    // what the last one was told, it forgets
    expect(unknown.filter((name) => name !== 'unwatchFile')).toEqual([]);
  });
});

describe('open needs', () => {
  const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = constants;
  const both: Need[] = ['read', 'write'];

  it.each([
    [undefined, ['read']],
    ['r', ['read']],
    ['rs', ['read']],
    ['r+', both],
    ['w', ['write']],
    ['wx+', both],
    ['a', ['write']],
    ['xa', ['write']],
    [O_RDONLY, ['read']],
    [O_WRONLY | O_CREAT, ['write']],
    [O_RDWR, both],
    [O_RDONLY | O_CREAT, both],
    [O_RDONLY | O_TRUNC, both],
    [O_RDONLY | O_APPEND, both],
  ])('for the flags %s: %s', (flags, needs) => {
    expect(needsOf(flags)).toEqual(needs);
  });
});

const at = (...names: string[]): string => path.resolve('/data', ...names);

describe('the judge', () => {
  const judge = judgeOf({ read: [at('in')], write: [at('in', 'f')] }, (file) =>
    file.startsWith(at('in', 'link')) ? at('out') : file,
  );

  it.each([
    ['a granted folder', at('in'), true],
    ['what is below it', at('in', 'a', 'b'), true],
    ['its neighbour of a longer name', at('inner'), false],
    ['the folder above', at(), false],
    ['a way out of it', `${at('in')}/../out`, false],
    ['a link out of it', at('in', 'link', 'x'), false],
    ['a relative path', 'x', false],
    ['a URL', pathToFileURL(at('in', 'x')), true],
    ['a URL outside', pathToFileURL(at('out')), false],
    ['bytes', Buffer.from(at('in', 'x')), true],
    ['bytes outside', Buffer.from(at('out')), false],
    ['a descriptor, which is no path', 3, true],
    ['what is no path at all', { href: 1 }, true],
  ])('lets one read %s: %#', (_, given, isAllowed) => {
    expect(judge.denies(given, 'read') === undefined).toBe(isAllowed);
  });

  it('says what Node says', () => {
    expect(judge.denies(at('out'), 'write')).toMatchObject({
      name: 'Error',
      code: 'ERR_ACCESS_DENIED',
      permission: 'FileSystemWrite',
      resource: at('out'),
      message: expect.stringMatching(
        /^Access to this API has been restricted.*permissions\.fs\.write/,
      ) as unknown,
    });
  });

  it('keeps reading and writing apart', () => {
    expect(judge.denies(at('in', 'f'), 'write')).toBeUndefined();
    expect(judge.denies(at('in', 'g'), 'write')).toBeDefined();
  });

  it('asks nothing where every path is granted', () => {
    const open = judgeOf({ read: ['*'], write: ['*'] }, () => {
      throw new Error('nobody asks');
    });
    expect(open.denies('/x', 'read')).toBeUndefined();
    expect([open.isUnlimited, judge.isUnlimited]).toEqual([true, false]);
  });
});

describe('the real path', () => {
  it('is that of what a link leads to, there or not there yet', async () => {
    const folder = fs.realpathSync(await temporaryFolder({ 'out/f': '', 'in/g': '' }));
    const inside = (name: string): string => path.join(folder, ...name.split('/'));
    fs.symlinkSync(inside('out'), inside('in/there'));
    fs.symlinkSync('../out/later', inside('in/dangling'));
    fs.symlinkSync(inside('in/loop'), inside('in/loop'));
    expect(
      ['in/g', 'in/there/f', 'in/there/new/x', 'in/dangling', 'in/dangling/x', 'in/loop'].map(
        (name) => realPathOf(inside(name)),
      ),
    ).toEqual(['in/g', 'out/f', 'out/new/x', 'out/later', 'out/later/x', 'in/loop'].map(inside));
  });
});

const double = Object.assign((n: number): number => n * 2, { unit: 'm' });
const count = (...args: unknown[]): unknown => args.length;

describe('a wrapped function', () => {
  const error = new Error('no');
  const refuseOdd = ([n]: readonly unknown[]) => (Number(n) % 2 ? error : undefined);

  it('works as before where nothing is denied, its properties included', () => {
    const owner = { double };
    wrap(owner, 'double', refuseOdd, THROW);
    expect([owner.double(2), owner.double.unit, owner.double.name]).toEqual([4, 'm', double.name]);
    expect(() => owner.double(1)).toThrow(error);
  });

  it('tells its caller as the function would: by throwing, rejecting or calling back', async () => {
    const owner = { ask: count, asked: count };
    wrap(owner, 'ask', refuseOdd, REJECT);
    await expect(owner.ask(1)).rejects.toBe(error);
    wrap(owner, 'asked', refuseOdd, CALL_BACK);
    const told = new Promise((resolve) => void owner.asked(1, resolve));
    expect(await told).toBe(error);
    expect(() => owner.asked(1)).toThrow(error);
  });

  it('denies construction, too, also of a class that extends it', () => {
    const owner = { Thing: Map };
    wrap(owner, 'Thing', () => error, THROW);
    const { Thing } = owner;
    expect(() => new Thing()).toThrow(error);
    expect(() => new (class extends Thing {})()).toThrow(error);
  });

  it('is left alone where this Node has none', () => {
    const owner = { version: process.version };
    wrap(owner, 'version', () => error, THROW);
    wrap(owner, 'nothing', () => error, THROW);
    expect(owner).toEqual({ version: process.version });
  });
});
