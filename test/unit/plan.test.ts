import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { planOf, shownEntry } from '../../src/kernel/plan.ts';
import { PluginError } from '../../src/protocol/errors.ts';
import { DEFAULT_LIMITS, DEFAULT_MAILBOX, DEFAULT_RESTART } from '../../src/protocol/limits.ts';
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
  for (const file of ['plugin/p.mjs', 'plugin/lib/q.mjs', 'outside/secret.mjs', 'plugin/..odd.mjs']) {
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

describe('a plan', () => {
  it('has every default filled in', () => {
    expect(planOf(SPEC)).toEqual({
      metadata: {
        id: 'p',
        name: 'p',
        type: 'tool',
        version: '1.0.0',
        description: '',
        author: '',
        capabilities: [],
        priority: 0,
        dependencies: [],
      },
      dependencies: [],
      entry: pathToFileURL(path.resolve('p.mjs')),
      sha256: undefined,
      host: 'module',
      isolation: 'thread',
      config: {},
      enabled: true,
      autoStart: true,
      concurrency: 1,
      mailbox: DEFAULT_MAILBOX,
      limits: DEFAULT_LIMITS,
      restart: DEFAULT_RESTART,
      env: {},
    });
  });

  it('mixes what is said with the defaults, part by part', () => {
    const plan = planOf({
      ...SPEC,
      limits: { graceMs: 5, hookTimeoutMs: undefined },
      mailbox: { overflow: 'wait' },
      restart: { type: 'transient', backoff: { minMs: 7, maxMs: undefined } },
    });
    expect(plan.limits).toEqual({ ...DEFAULT_LIMITS, graceMs: 5 });
    expect(plan.mailbox).toEqual({ ...DEFAULT_MAILBOX, overflow: 'wait' });
    expect(plan.restart).toEqual({
      ...DEFAULT_RESTART,
      type: 'transient',
      backoff: { ...DEFAULT_RESTART.backoff, minMs: 7 },
    });
  });

  it('knows dependencies by id, range and whether they are optional', () => {
    const plan = planOf({
      ...SPEC,
      dependencies: ['a', 'b@^1.2', '@scope/c@>=2 <3', { id: 'd' }, { id: 'e', range: '*', optional: true }],
    });
    expect(plan.dependencies).toEqual([
      { id: 'a', range: undefined, optional: false },
      { id: 'b', range: '^1.2', optional: false },
      { id: '@scope/c', range: '>=2 <3', optional: false },
      { id: 'd', range: undefined, optional: false },
      { id: 'e', range: '*', optional: true },
    ]);
  });

  it('lets the plugin see only the variables it may, and that are there', () => {
    process.env['TROUPE_TEST_SEEN'] = 'yes';
    const env = ['TROUPE_TEST_SEEN', 'TROUPE_TEST_ABSENT', '__proto__'];
    expect(planOf({ ...SPEC, permissions: { env } }).env).toEqual({ TROUPE_TEST_SEEN: 'yes' });
    expect(planOf(SPEC).env).toEqual({});
  });

  it('is not changed by who changes the spec later', () => {
    const spec = { ...SPEC, capabilities: ['a'], config: { list: [1] }, dependencies: ['x'] };
    const plan = planOf(spec);
    spec.capabilities.push('b');
    spec.config.list.push(2);
    spec.dependencies.push('y');
    expect(plan.metadata.capabilities).toEqual(['a']);
    expect(plan.metadata.dependencies).toEqual(['x']);
    expect(plan.config).toEqual({ list: [1] });
  });

  const wrong: [string, Partial<PluginSpec>, string][] = [
    ['a version that is not semver', { version: '1.0' }, '"version"'],
    ['a range that is none', { dependencies: ['a@latest!'] }, '"dependencies"'],
    ['a range that is none, in the long form', { dependencies: [{ id: 'a', range: '>>1' }] }, '"dependencies"'],
    ['a config with a function', { config: { run: () => 1 } }, '"config"'],
    ['a config over the limit', { config: { s: 'x'.repeat(2_000) }, limits: { payloadBytesMax: 1_024 } }, '"config"'],
    ['a wasm module', { entry: './p.wasm' }, 'not in this version'],
    ['a path with a NUL', { entry: './p\0.mjs' }, '"entry"'],
    ['a URL that is none', { entry: 'file://[' }, '"entry"'],
  ];

  it.each(wrong)('is refused for %s', (_, fields, named) => {
    const refusal = refusalOf(() => planOf({ ...SPEC, ...fields }));
    expect(refusal).toMatchObject({ code: 'INVALID_SPEC', pluginId: 'p' });
    expect(refusal.message).toContain(named);
  });
});

describe('the entry of a program', () => {
  it('is a path from the working directory, or any URL', () => {
    const href = (entry: PluginSpec['entry']): string => planOf({ ...SPEC, entry }).entry.href;
    expect(href('../x/y.mjs')).toBe(pathToFileURL(path.resolve('../x/y.mjs')).href);
    expect(href('/abs/y.mjs')).toBe('file:///abs/y.mjs');
    expect(href('file:///abs/y.mjs')).toBe('file:///abs/y.mjs');
    expect(href('data:text/javascript,1')).toBe('data:text/javascript,1');
    expect(href(new URL('file:///u.mjs'))).toBe('file:///u.mjs');
    expect(href({ path: new URL('file:///u.mjs') })).toBe('file:///u.mjs');
    expect(href('/with space & 100%.mjs')).toBe('file:///with%20space%20&%20100%25.mjs');
  });

  it('may come with the hash of what may run, in small letters or large', () => {
    const sha256 = 'AB'.repeat(32);
    expect(planOf({ ...SPEC, entry: { path: './p.mjs', sha256 } }).sha256).toBe('ab'.repeat(32));
  });
});

describe('the entry of a manifest', () => {
  it('is a file inside its folder', () => {
    for (const entry of ['p.mjs', './p.mjs', 'lib/q.mjs', './lib/../p.mjs'.replace('lib/../', ''), 'inner.mjs']) {
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
    expect(refusal).toMatchObject({ code: 'INVALID_SPEC', pluginId: 'p', data: { field: 'entry' } });
    expect(refusal.message).toContain("inside the plugin's folder");
    expect(refusal.message).not.toContain(root);
  });
});

describe('an entry in a message', () => {
  it('is relative where it lies below here, and never a path of the host elsewhere', () => {
    expect(shownEntry(pathToFileURL(path.resolve('plugins/p.mjs')))).toBe(path.join('plugins', 'p.mjs'));
    expect(shownEntry(new URL('file:///home/someone/p.mjs'))).toBe('p.mjs');
    expect(shownEntry(new URL('data:text/javascript,secret'))).toBe('data:…');
  });
});
