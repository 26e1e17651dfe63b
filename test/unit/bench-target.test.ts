import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { readTarget } from '../../src/cli/bench/target.ts';
import { temporaryFolder } from '../support/files.ts';

const MANIFEST = {
  $schema: 'https://example.org/plugin.json',
  id: 'store',
  type: 'storage',
  version: '2.1.0',
  entry: { path: './store.mjs', sha256: 'a'.repeat(64) },
  enabled: false,
  config: { path: '/data', limit: 1 },
  isolation: 'process',
  permissions: { env: ['HOME'], fs: { read: ['data', '*'] }, worker: false },
};

describe('what is measured', () => {
  it('is a file, by a name that can be an id', async () => {
    const folder = await temporaryFolder({ 'my plugin!.test.mjs': '' });
    const file = path.join(folder, 'my plugin!.test.mjs');
    const { spec, sha256 } = await readTarget(file, { isolation: 'pool' });
    expect(spec).toMatchObject({
      id: 'my_plugin_.test',
      type: 'custom',
      entry: file,
      isolation: 'pool',
      enabled: true,
    });
    expect(sha256).toMatch(/^[\da-f]{64}$/);
  });

  it('is a manifest that no longer depends on its folder, with the options laid over it', async () => {
    const folder = await temporaryFolder({
      'plugin.json': JSON.stringify(MANIFEST),
      'store.mjs': '',
    });
    const { spec } = await readTarget(folder, { config: '{"limit": 2}', concurrency: 3 });
    expect(spec).toEqual({
      id: 'store',
      type: 'storage',
      version: '2.1.0',
      entry: { path: path.join(folder, 'store.mjs'), sha256: 'a'.repeat(64) },
      enabled: true,
      autoStart: true,
      config: { path: '/data', limit: 2 },
      isolation: 'process',
      concurrency: 3,
      permissions: {
        env: ['HOME'],
        fs: { read: [path.join(folder, 'data'), '*'], write: undefined },
        worker: false,
      },
    });
  });

  it('is refused with more calls in a thread of a pool than one, whoever says so', async () => {
    const folder = await temporaryFolder({
      'plugin.json': JSON.stringify({ ...MANIFEST, concurrency: 2 }),
      'store.mjs': '',
    });
    const pool = { isolation: 'pool' } as const;
    const twoInPool = { ...pool, concurrency: 2 };
    const refused =
      'a thread of a pool is inside one call at a time: leave --concurrency at 1, and say with --threads how many there are';
    await expect(readTarget(folder, pool)).rejects.toThrow(refused);
    await expect(readTarget(path.join(folder, 'store.mjs'), twoInPool)).rejects.toThrow(refused);
    const { spec } = await readTarget(folder, { ...pool, concurrency: 1 });
    expect(spec).toMatchObject({ isolation: 'pool', concurrency: 1 });
  });

  it('is refused as the kernel refuses it', async () => {
    const folder = await temporaryFolder({
      'plugin.json': JSON.stringify({ ...MANIFEST, entry: '../elsewhere.mjs' }),
    });
    await expect(readTarget(folder)).rejects.toMatchObject({ code: 'INVALID_SPEC' });
  });
});
