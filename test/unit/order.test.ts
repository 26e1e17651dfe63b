import { describe, expect, it } from 'vitest';

import { dependencyError, dependenciesIn, waves } from '../../src/kernel/order.ts';
import type { Dependency, PluginPlan } from '../../src/protocol/manifest.ts';
import { planFor } from '../support/plan.ts';
import { fc } from '../support/properties.ts';

interface Fields {
  needs?: (string | (Partial<Dependency> & { id: string }))[];
  priority?: number;
  version?: string;
}

/** Plans from a table: `{ b: { needs: ['a'] } }`. */
function plansOf(table: Record<string, Fields>): Map<string, PluginPlan> {
  return new Map(
    Object.entries(table).map(([id, { needs = [], priority = 0, version = '1.0.0' }]) => {
      const dependencies = needs.map((need) => (typeof need === 'string' ? { id: need } : need));
      return [id, planFor(id, { metadata: { priority, version }, dependencies })];
    }),
  );
}

function wavesOf(table: Record<string, Fields>, ids = Object.keys(table)): string[] {
  return waves(ids, plansOf(table)).map((wave) => wave.join(' '));
}

describe('the order to go up', () => {
  it('is one wave where nothing depends on anything', () => {
    expect(wavesOf({ a: {}, b: {}, c: {} })).toEqual(['a b c']);
    expect(wavesOf({})).toEqual([]);
  });

  it('is dependencies first, each as early as it can', () => {
    expect(
      wavesOf({
        top: { needs: ['left', 'right'] },
        left: { needs: ['base'] },
        right: { needs: ['base', 'deep'] },
        deep: { needs: ['base'] },
        base: {},
        alone: {},
      }),
    ).toEqual(['base alone', 'left deep', 'right', 'top']);
  });

  it('is higher priority first among the independent', () => {
    expect(wavesOf({ low: { priority: -1 }, mid: {}, high: { priority: 10 }, also: {} })).toEqual([
      'high',
      'mid also',
      'low',
    ]);
  });

  it('gives a dependency the highest priority of those that need it', () => {
    expect(
      wavesOf({
        urgent: { priority: 10, needs: ['base'] },
        normal: { priority: 5 },
        base: { needs: ['deepest'] },
        deepest: { priority: -3 },
      }),
    ).toEqual(['deepest', 'base', 'urgent', 'normal']);
  });

  it('never puts a plugin before its dependency for the sake of priority', () => {
    expect(
      wavesOf({ eager: { priority: 100, needs: ['slow'] }, slow: { priority: -100 } }),
    ).toEqual(['slow', 'eager']);
  });

  it('is of the asked ones alone, through those between them', () => {
    const table = { top: { needs: ['middle'] }, middle: { needs: ['base'] }, base: {} };
    expect(wavesOf(table, ['middle', 'base'])).toEqual(['base', 'middle']);
    expect(wavesOf(table, ['top', 'base'])).toEqual(['base', 'top']);
  });

  it('ignores a dependency that is not registered', () => {
    expect(wavesOf({ a: { needs: [{ id: 'gone', optional: true }] } })).toEqual(['a']);
    expect(dependenciesIn('a', plansOf({ a: { needs: ['gone', 'b'] }, b: {} }))).toEqual(['b']);
  });

  it('is an order also where there is a cycle: each plugin once', () => {
    const ids = wavesOf({ a: { needs: ['b'] }, b: { needs: ['c'] }, c: { needs: ['a'] }, d: {} });
    expect(ids.join(' ').split(' ').toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('holds for any plugins: every one once, after all it needs, and never after a lesser one', () => {
    const table = fc.array(
      fc.record({
        priority: fc.integer({ min: -2, max: 2 }),
        needs: fc.array(fc.nat(), { maxLength: 3 }),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(table, (rows) => {
        // a plugin needs only those before it: no cycles
        const fields = Object.fromEntries(
          rows.map(({ priority, needs }, i) => [
            `p${String(i)}`,
            {
              priority,
              needs: i === 0 ? [] : [...new Set(needs.map((need) => `p${String(need % i)}`))],
            },
          ]),
        );
        const plans = plansOf(fields);
        const order = waves([...plans.keys()], plans);
        expect(order.flat().toSorted()).toEqual([...plans.keys()].toSorted());
        const place = new Map(order.flatMap((wave, i) => wave.map((id) => [id, i] as const)));
        for (const id of plans.keys()) {
          for (const need of dependenciesIn(id, plans)) {
            expect(place.get(need)).toBeLessThan(place.get(id) ?? -1);
          }
        }
      }),
    );
  });

  it('is found in few looks, though the ways through a lattice are many', () => {
    const layers = 14;
    const table: Record<string, Fields> = {};
    for (let i = 0; i < layers; i++) {
      const needs = i === 0 ? [] : [`a${String(i - 1)}`, `b${String(i - 1)}`];
      table[`a${String(i)}`] = { needs };
      table[`b${String(i)}`] = { needs };
    }
    const plans = plansOf(table);
    let looks = 0;
    const get = plans.get.bind(plans);
    plans.get = (id) => {
      looks++;
      return get(id);
    };
    expect(waves([...plans.keys()].toReversed(), plans)).toHaveLength(layers);
    expect(looks).toBeLessThan(5_000);
  });
});

describe('what is wrong with dependencies', () => {
  it('is nothing where all are there, at the right version', () => {
    const table = {
      a: { needs: ['b', { id: 'c', range: '^1.2' }, { id: 'gone', optional: true }] },
      b: {},
      c: { version: '1.9.3' },
    };
    expect(dependencyError('a', plansOf(table))).toBeUndefined();
  });

  it('is a missing one, also one that is needed further down', () => {
    const table = { a: { needs: ['b'] }, b: { needs: ['gone'] } };
    const error = dependencyError('a', plansOf(table));
    expect(error).toMatchObject({
      code: 'DEPENDENCY_MISSING',
      pluginId: 'a',
      data: { dependency: 'gone', neededBy: 'b' },
    });
    expect(error?.message).toBe(
      'a needs b, which needs gone, which is not registered; register it first',
    );
    expect(dependencyError('b', plansOf(table))?.message).toBe(
      'b needs gone, which is not registered; register it first',
    );
  });

  it('is a version out of range, optional or not', () => {
    for (const optional of [false, true]) {
      const needs = [{ id: 'b', range: '^2.0', optional }];
      const error = dependencyError('a', plansOf({ a: { needs }, b: { version: '1.5.0' } }));
      expect(error).toMatchObject({
        code: 'DEPENDENCY_VERSION',
        pluginId: 'a',
        message: 'a needs b@^2.0, but b is 1.5.0',
        data: { dependency: 'b', range: '^2.0', found: '1.5.0' },
      });
    }
  });

  it('is a cycle, named in full', () => {
    const table = {
      start: { needs: ['a'] },
      a: { needs: ['b'] },
      b: { needs: ['c'] },
      c: { needs: ['a'] },
    };
    const error = dependencyError('start', plansOf(table));
    expect(error).toMatchObject({
      code: 'DEPENDENCY_CYCLE',
      pluginId: 'start',
      data: { cycle: ['a', 'b', 'c', 'a'] },
    });
    expect(error?.message).toContain('a → b → c → a');
  });

  it('is a plugin that needs itself', () => {
    const error = dependencyError('a', plansOf({ a: { needs: ['a'] } }));
    expect(error).toMatchObject({ code: 'DEPENDENCY_CYCLE', data: { cycle: ['a', 'a'] } });
  });

  it('is not a diamond: two ways to one plugin are no cycle', () => {
    const table = { top: { needs: ['l', 'r'] }, l: { needs: ['b'] }, r: { needs: ['b'] }, b: {} };
    expect(dependencyError('top', plansOf(table))).toBeUndefined();
  });
});
