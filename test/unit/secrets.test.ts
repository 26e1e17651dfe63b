import { describe, expect, it } from 'vitest';

import { planOf } from '../../src/kernel/plan.ts';
import { PluginError } from '../../src/protocol/errors.ts';

const SPEC = { id: 'p', type: 'tool', entry: new URL('file:///p.mjs') } as const;

const secretsOf = (config: Record<string, unknown>, secrets?: string[]): string[] =>
  planOf({ ...SPEC, config, secrets }).secrets;

describe('the secret texts of a plan', () => {
  it('are none where none is named', () => {
    expect(secretsOf({ apiKey: 'k' })).toEqual([]);
  });

  it('are every text and number at or below a path, once', () => {
    const config = {
      apiKey: 'one',
      db: { password: 'two', list: ['three', { pin: 4, big: 5n, on: true }], again: 'one' },
      open: 'not this',
      tokens: new Map([['six', new Set(['seven'])]]),
    };
    expect(secretsOf(config, ['apiKey', 'db', 'tokens'])).toEqual([
      'one',
      'two',
      'three',
      '4',
      '5',
      'six',
      'seven',
    ]);
    expect(secretsOf(config, ['db.password', 'db.list.0'])).toEqual(['two', 'three']);
  });

  it('may be missing where the value is undefined or empty, but not where the path is', () => {
    expect(secretsOf({ apiKey: undefined, token: '' }, ['apiKey', 'token'])).toEqual([]);
    for (const path of ['apikey', 'apiKey.deep', '__proto__', 'constructor']) {
      expect(() => secretsOf({ apiKey: 'k' }, [path])).toThrow(PluginError);
      expect(() => secretsOf({ apiKey: 'k' }, [path])).toThrow(`there is no ${path} in config`);
    }
  });

  it('are those of a cycle as well', () => {
    const config: Record<string, unknown> = { key: 'k' };
    config['self'] = config;
    expect(secretsOf({ all: config }, ['all'])).toEqual(['k']);
  });

  it('are all of the environment', () => {
    process.env['TROUPE_TEST_SECRET'] = 'from outside';
    try {
      const permissions = { env: ['TROUPE_TEST_SECRET', 'TROUPE_TEST_UNSET'] };
      expect(planOf({ ...SPEC, permissions }).secrets).toEqual(['from outside']);
    } finally {
      delete process.env['TROUPE_TEST_SECRET'];
    }
  });
});
