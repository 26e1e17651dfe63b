import { describe, expect, it } from 'vitest';

import { checkSpec, jsonSchema } from '../../src/kernel/spec-schema.ts';
import { PluginError } from '../../src/protocol/errors.ts';
import { fc } from '../support/properties.ts';

const SPEC = { id: 'p', type: 'tool', entry: './p.mjs' };

/** Why it was refused; a PluginError, or the test fails. */
function refusalOf(value: unknown, from: 'program' | 'manifest' = 'program'): PluginError {
  try {
    checkSpec(value, from);
  } catch (error) {
    if (error instanceof PluginError) return error;
    throw new Error('refused with something else', { cause: error });
  }
  throw new Error('it was not refused');
}

describe('a spec', () => {
  it('needs an id, a type and an entry, and no more', () => {
    expect(checkSpec(SPEC, 'program')).toEqual(SPEC);
    expect(checkSpec(SPEC, 'manifest')).toEqual(SPEC);
  });

  it('with every field there is passes as it is', () => {
    const full = {
      ...SPEC,
      name: 'P',
      version: '1.2.3',
      description: 'd',
      author: 'a',
      capabilities: ['c'],
      priority: -1.5,
      dependencies: ['a', 'b@^1.2', { id: 'c', range: '>=1', optional: true }],
      host: 'module',
      isolation: 'thread',
      config: { nested: [1, { deep: null }] },
      secrets: ['nested'],
      enabled: false,
      autoStart: false,
      concurrency: 4,
      mailbox: { capacity: 5, overflow: 'wait' },
      limits: { startTimeoutMs: 1, callTimeoutMs: 0, memoryMb: 64, payloadDepthMax: 10 },
      restart: { type: 'temporary', intensity: 0, backoff: { jitter: 1 }, redeliver: 2 },
      permissions: {
        env: ['HOME'],
        fs: { read: ['data', '*'], write: ['file:///tmp/x'] },
        childProcess: true,
        worker: false,
        addons: true,
      },
    };
    expect(checkSpec(full, 'program')).toEqual(full);
    expect(checkSpec({ $schema: 'https://example.org/s.json', ...full }, 'manifest')).toMatchObject(
      full,
    );
  });

  it('may say undefined for what it leaves to the default', () => {
    const spec = { ...SPEC, name: undefined, limits: { graceMs: undefined }, mailbox: undefined };
    expect(checkSpec(spec, 'program')).toMatchObject(SPEC);
  });

  it('of a program may have a URL as entry, one of a manifest may not', () => {
    const entry = new URL('file:///p.mjs');
    expect(checkSpec({ ...SPEC, entry }, 'program').entry).toBe(entry);
    expect(checkSpec({ ...SPEC, entry: { path: entry } }, 'program').entry).toEqual({
      path: entry,
    });
    expect(refusalOf({ ...SPEC, entry }, 'manifest').message).toContain('"entry');
  });

  it('of a program may have URLs as paths, one of a manifest may not', () => {
    const permissions = { fs: { read: [new URL('file:///data/')] } };
    expect(checkSpec({ ...SPEC, permissions }, 'program').permissions).toEqual(permissions);
    expect(refusalOf({ ...SPEC, permissions }, 'manifest').message).toContain(
      '"permissions.fs.read.0"',
    );
  });

  it('keeps a key __proto__ of its config harmless', () => {
    const config = JSON.parse('{"__proto__": {"polluted": true}}') as object;
    checkSpec({ ...SPEC, config }, 'manifest');
    expect('polluted' in {}).toBe(false);
  });
});

describe('a field is refused by its name:', () => {
  const wrong: [string, Record<string, unknown>, string][] = [
    ['unknown', { entyr: 'x' }, 'unknown field "entyr"'],
    ['unknown within limits', { limits: { graceMS: 1 } }, 'unknown field "limits.graceMS"'],
    [
      'unknown within the backoff',
      { restart: { backoff: { base: 1 } } },
      'unknown field "restart.backoff.base"',
    ],
    ['unknown within permissions', { permissions: { net: {} } }, 'unknown field "permissions.net"'],
    [
      'unknown within permissions.fs',
      { permissions: { fs: { execute: [] } } },
      'unknown field "permissions.fs.execute"',
    ],
    [
      'a path with a star in it',
      { permissions: { fs: { read: ['a', 'data/*'] } } },
      '"permissions.fs.read.1"',
    ],
    ['a path, empty', { permissions: { fs: { write: [''] } } }, '"permissions.fs.write.0"'],
    ['paths, no list', { permissions: { fs: { read: '*' } } }, '"permissions.fs.read"'],
    ['a permission, no truth value', { permissions: { worker: 1 } }, '"permissions.worker"'],
    [
      'unknown within a dependency',
      { dependencies: [{ id: 'a', rnage: '1' }] },
      'dependencies.0.rnage',
    ],
    ['unknown within the entry', { entry: { path: 'x', sha: 'y' } }, 'entry.sha'],
    ['id, missing', { id: undefined }, '"id"'],
    ['id, empty', { id: '' }, '"id"'],
    ['id, with a space', { id: 'a b' }, '"id"'],
    ['id, that begins with a sign', { id: '-a' }, '"id"'],
    ['id, longer than 128', { id: 'x'.repeat(129) }, '"id"'],
    ['type, unknown', { type: 'agent' }, '"type"'],
    ['entry, missing', { entry: undefined }, '"entry"'],
    ['entry, empty', { entry: '' }, '"entry"'],
    ['entry, with a hash that is none', { entry: { path: 'x', sha256: 'abc' } }, 'entry.sha256'],
    ['name, no string', { name: 1 }, '"name"'],
    ['capabilities, an empty one', { capabilities: [''] }, '"capabilities.0"'],
    ['priority, no number', { priority: 'high' }, '"priority"'],
    ['priority, not a number', { priority: Number.NaN }, '"priority"'],
    ['dependencies, a number', { dependencies: [1] }, '"dependencies.0"'],
    ['config, an array', { config: [] }, '"config"'],
    ['enabled, a text', { enabled: 'yes' }, '"enabled"'],
    ['concurrency, 0', { concurrency: 0 }, '"concurrency"'],
    ['concurrency, a fraction', { concurrency: 1.5 }, '"concurrency"'],
    ['a limit, negative', { limits: { graceMs: -1 } }, '"limits.graceMs"'],
    ['a limit, endless', { limits: { callTimeoutMs: Infinity } }, '"limits.callTimeoutMs"'],
    [
      'a limit, more than a timer can count',
      { limits: { stopTimeoutMs: 2 ** 31 } },
      '"limits.stopTimeoutMs"',
    ],
    [
      'a payload limit, of nothing',
      { limits: { payloadBytesMax: 10 } },
      '"limits.payloadBytesMax"',
    ],
    ['mailbox capacity, 0', { mailbox: { capacity: 0 } }, '"mailbox.capacity"'],
    ['mailbox overflow, unknown', { mailbox: { overflow: 'drop' } }, '"mailbox.overflow"'],
    ['restart type, unknown', { restart: { type: 'always' } }, '"restart.type"'],
    ['restart intensity, a fraction', { restart: { intensity: 0.5 } }, '"restart.intensity"'],
    ['jitter, above 1', { restart: { backoff: { jitter: 1.1 } } }, '"restart.backoff.jitter"'],
    ['env, no list', { permissions: { env: 'HOME' } }, '"permissions.env"'],
  ];

  it.each(wrong)('%s', (_, fields, named) => {
    const refusal = refusalOf({ ...SPEC, ...fields });
    expect(refusal).toMatchObject({ name: 'PluginError', code: 'INVALID_SPEC' });
    expect(refusal.message).toContain(named);
    expect(refusal.data['problems']).toEqual([expect.stringContaining(named)]);
  });

  it('all that are wrong at once', () => {
    const refusal = refusalOf({ ...SPEC, type: 'x', enabled: 1, extra: true });
    expect(refusal.pluginId).toBe('p');
    expect(refusal.message).toMatch(/^the spec of p is not valid: /);
    expect(refusal.data['problems']).toHaveLength(3);
    for (const field of ['type', 'enabled', 'extra'])
      expect(refusal.message).toContain(`"${field}"`);
  });
});

describe('a value that was never announced is refused', () => {
  it('by the name of its field, also where objects have one of that name', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'fork']) {
      for (const field of ['isolation', 'host']) {
        const refusal = refusalOf({ ...SPEC, [field]: name });
        expect(refusal.message).toContain(`"${field}"`);
      }
    }
  });
});

describe('anything else', () => {
  const hostile: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a text', 'plugin'],
    ['an array', []],
    ['a function', () => SPEC],
    ['a date', new Date()],
    ['a host that cannot be a text', { ...SPEC, host: { toString: 1 } }],
    ['an isolation without a prototype', { ...SPEC, isolation: Object.create(null) as object }],
    ['an id that is an object', { ...SPEC, id: {} }],
  ];

  it.each(hostile)('is refused as a spec: %s', (_, value) => {
    expect(refusalOf(value).code).toBe('INVALID_SPEC');
  });

  it('is refused, whatever it is', () => {
    const fields = fc.dictionary(
      fc.constantFrom('id', 'type', 'entry', 'host', 'isolation', 'limits', 'dependencies', 'x'),
      fc.anything(),
    );
    fc.assert(
      fc.property(fields, (value) => {
        expect(refusalOf({ ...value, type: 'no such type' }).code).toBe('INVALID_SPEC');
      }),
    );
  });
});

it('the JSON Schema says what the check says', () => {
  const schema = jsonSchema();
  expect(schema).toMatchObject({
    title: 'Troupe plugin manifest',
    type: 'object',
    additionalProperties: false,
    required: ['id', 'type', 'entry'],
  });
  expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
});
