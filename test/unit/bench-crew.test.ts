import { describe, expect, it } from 'vitest';

import { copiesOf } from '../../src/cli/bench/crew.ts';
import type { PluginSpec } from '../../src/index.ts';

const SPEC: PluginSpec = { id: 'store', type: 'storage', entry: '/store.mjs', concurrency: 2 };

describe('the copies that are measured', () => {
  it('are as many as are asked for, under ids of their own', () => {
    expect(copiesOf(SPEC, 3)).toEqual([
      SPEC,
      { ...SPEC, id: 'store-2' },
      { ...SPEC, id: 'store-3' },
    ]);
  });

  it('are one each, whatever the manifest says of threads and replicas', () => {
    expect(copiesOf({ ...SPEC, replicas: 4, threads: 4 }, 2)).toEqual([
      SPEC,
      { ...SPEC, id: 'store-2' },
    ]);
  });

  it('are one pool of so many threads', () => {
    const pool: PluginSpec = { ...SPEC, isolation: 'pool', concurrency: 1 };
    expect(copiesOf({ ...pool, replicas: 2, threads: { min: 4, max: 8 } }, 2)).toEqual([
      { ...pool, threads: 2 },
    ]);
  });
});
