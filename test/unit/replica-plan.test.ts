import { availableParallelism } from 'node:os';

import { describe, expect, it } from 'vitest';

import { planOf } from '../../src/kernel/plan.ts';
import { checkSpec } from '../../src/kernel/spec-schema.ts';
import { PluginError } from '../../src/protocol/errors.ts';
import type { PluginSpec } from '../../src/protocol/manifest.ts';

const SPEC: PluginSpec = { id: 'p', type: 'tool', entry: 'p.mjs' };
const TIMES = { growAfterMs: 500, shrinkAfterMs: 30_000 };

function planned(replicas: unknown, fields: Partial<PluginSpec> = {}): unknown {
  return planOf(checkSpec({ ...SPEC, ...fields, replicas }, 'manifest')).replicas;
}

describe('replicas in a spec', () => {
  it('are none where they are not asked for', () => {
    expect(planOf(SPEC).replicas).toBeUndefined();
  });

  it('are a number, or a range that the load moves in', () => {
    expect(planned(1)).toEqual({ min: 1, max: 1, ...TIMES });
    expect(planned(256)).toEqual({ min: 256, max: 256, ...TIMES });
    expect(planned({ min: 2, max: 4 })).toEqual({ min: 2, max: 4, ...TIMES });
    expect(planned({ max: 3, growAfterMs: 0, shrinkAfterMs: 9 })).toEqual({
      min: 1,
      max: 3,
      growAfterMs: 0,
      shrinkAfterMs: 9,
    });
  });

  it('are as many as there are processors but one, where that is not said', () => {
    const max = Math.max(1, availableParallelism() - 1);
    expect(planned('auto')).toEqual({ min: 1, max, ...TIMES });
    expect(planned({ min: 200 })).toEqual({ min: 200, max: 200, ...TIMES });
  });

  it.each([
    [0, '"replicas"'],
    [257, '"replicas"'],
    [1.5, '"replicas"'],
    ['many', '"replicas"'],
    [{ min: 0 }, '"replicas.min"'],
    [{ min: 2, most: 3 }, 'unknown field "replicas.most"'],
    [{ min: 3, max: 2 }, '"replicas": min 3 is above max 2'],
  ])('are refused by name: %j', (replicas, what) => {
    expect(refusalOf(() => planned(replicas))).toMatchObject({
      code: 'INVALID_SPEC',
      pluginId: 'p',
      message: expect.stringContaining(what) as string,
    });
  });

  it('are refused for a pool, which spreads its calls itself', () => {
    const spec: PluginSpec = { ...SPEC, isolation: 'pool', replicas: 2 };
    expect(refusalOf(() => planOf(spec))).toMatchObject({
      code: 'INVALID_SPEC',
      data: { field: 'replicas' },
    });
  });
});

function refusalOf(work: () => unknown): PluginError {
  try {
    work();
  } catch (error) {
    if (error instanceof PluginError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
