import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, it } from 'vitest';

import { planOf, shownEntry } from '../../src/kernel/plan.ts';
import { PluginError } from '../../src/protocol/errors.ts';
import {
  DEFAULT_LIMITS,
  DEFAULT_MAILBOX,
  DEFAULT_RELOAD,
  DEFAULT_RESTART,
} from '../../src/protocol/limits.ts';
import type { PluginSpec } from '../../src/protocol/manifest.ts';

const SPEC: PluginSpec = { id: 'p', type: 'tool', entry: './p.mjs' };
const POOL = { isolation: 'pool' } as const;

function refusalOf(act: () => unknown): PluginError {
  try {
    act();
  } catch (error) {
    if (error instanceof PluginError) return error;
    throw new Error('refused with something else', { cause: error });
  }
  throw new Error('it was not refused');
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
      modules: {},
      host: 'module',
      isolation: 'thread',
      carrier: 'auto',
      config: {},
      enabled: true,
      autoStart: true,
      concurrency: 1,
      mailbox: DEFAULT_MAILBOX,
      limits: DEFAULT_LIMITS,
      restart: DEFAULT_RESTART,
      reload: DEFAULT_RELOAD,
      env: {},
      secrets: [],
      access: undefined,
    });
  });

  it('mixes what is said with the defaults, part by part', () => {
    const plan = planOf({
      ...SPEC,
      limits: { graceMs: 5, memoryMb: undefined },
      mailbox: { overflow: 'wait' },
      restart: { type: 'transient', backoff: { minMs: 7 } },
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
      dependencies: [
        'a',
        'b@^1.2',
        '@scope/c@>=2 <3',
        { id: 'd' },
        { id: 'e', range: '*', optional: true },
      ],
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
    const env = ['TROUPE_TEST_SEEN', 'TROUPE_TEST_ABSENT', '__proto__', 'toString'];
    expect(planOf({ ...SPEC, permissions: { env } }).env).toEqual({ TROUPE_TEST_SEEN: 'yes' });
    expect(planOf(SPEC).env).toEqual({});
    delete process.env['TROUPE_TEST_SEEN'];
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
    [
      'a range that is none, in the long form',
      { dependencies: [{ id: 'a', range: '>>1' }] },
      '"dependencies"',
    ],
    ['a config with a function', { config: { run: () => 1 } }, '"config"'],
    [
      'a config over the limit',
      { config: { s: 'x'.repeat(2_000) }, limits: { payloadBytesMax: 1_024 } },
      '"config"',
    ],
    ['threads without a pool', { threads: 2 }, '"threads"'],
    ['more threads at least than at most', { ...POOL, threads: { min: 3, max: 2 } }, 'threads.min'],
    ['a pool with a concurrency of its threads', { ...POOL, concurrency: 2 }, '"concurrency"'],
    [
      'a pool whose state is to be preserved',
      { ...POOL, reload: { preserveState: true } },
      '"reload.preserveState"',
    ],
    ['a path with a NUL', { entry: './p\0.mjs' }, '"entry"'],
    ['a URL that is none', { entry: 'file://[' }, '"entry"'],
  ];

  it.each(wrong)('is refused for %s', (_, fields, named) => {
    const refusal = refusalOf(() => planOf({ ...SPEC, ...fields }));
    expect(refusal).toMatchObject({ code: 'INVALID_SPEC', pluginId: 'p' });
    expect(refusal.message).toContain(named);
  });
});

describe('the threads of a pool', () => {
  it('are as many as the machine does in parallel, and one while nothing is called', () => {
    const { threads, concurrency } = planOf({ ...SPEC, ...POOL });
    const max = os.availableParallelism();
    expect({ threads, concurrency }).toEqual({
      threads: { min: 1, max, idleMs: 10_000 },
      concurrency: max,
    });
  });

  it('are what the spec says', () => {
    const threadsOf = (threads: PluginSpec['threads']): unknown =>
      planOf({ ...SPEC, ...POOL, threads }).threads;
    expect(threadsOf(3)).toEqual({ min: 3, max: 3, idleMs: 10_000 });
    expect(threadsOf({ max: 2, idleMs: 0 })).toEqual({ min: 1, max: 2, idleMs: 0 });
    expect(threadsOf({ min: 100 })).toEqual({ min: 100, max: 100, idleMs: 10_000 });
    expect(planOf(SPEC).threads).toBeUndefined();
  });
});

function href(entry: PluginSpec['entry']): string {
  return planOf({ ...SPEC, entry }).entry.href;
}

describe('the entry of a program', () => {
  it('is a path from the working directory, or any URL', () => {
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

describe('an entry in a message', () => {
  it('is relative where it lies below here, and never a path of the host elsewhere', () => {
    expect(shownEntry(pathToFileURL(path.resolve('plugins/p.mjs')))).toBe(
      path.join('plugins', 'p.mjs'),
    );
    expect(shownEntry(new URL('file:///home/someone/p.mjs'))).toBe('p.mjs');
    expect(shownEntry(new URL('data:text/javascript,secret'))).toBe('data:…');
  });
});
