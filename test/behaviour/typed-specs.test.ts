/** Specs that know how their plugin is asked: their methods are those of the handle. */
import { typedSpec, type PluginHandle, type TypedHandle } from 'troupe';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { inline } from '../support/files.ts';
import { createManager } from '../support/manager.ts';
import { failureFrom } from '../support/outcomes.ts';

type Input = { op: 'add'; by: number } | { op: 'total' };

const ENTRY = inline(`
let total = 0;
export default (input) => (input.op === 'add' ? (total += input.by) : total);
`);

const tallySpec = (id: string) =>
  typedSpec({ id, type: 'custom', entry: ENTRY }, (plugin: PluginHandle<Input, number>) => ({
    add: (by = 1) => plugin.execute({ op: 'add', by }),
    total: () => plugin.execute({ op: 'total' }),
    /** In the place of the verb, which it calls. */
    execute: (input: Input | number) =>
      plugin.execute(typeof input === 'number' ? { op: 'add', by: input } : input),
    get label() {
      return `${plugin.id} is ${plugin.state}`;
    },
  }));

describe('a typed spec', () => {
  it('gives the handle of register its methods, beside the verbs', async () => {
    const manager = createManager();
    const tally = await manager.register(tallySpec('tally'));
    expect(tally.label).toBe('tally is unloaded');
    await tally.load();
    await tally.init();
    await tally.start();
    expect([tally.state, tally.label]).toEqual(['running', 'tally is running']);
    expect(await tally.add(2)).toBe(2);
    expect(await tally.add()).toBe(3);
    expect(await tally.total()).toBe(3);
    expectTypeOf(tally.add).toEqualTypeOf<(by?: number) => Promise<number>>();
    expectTypeOf(tally.state).toEqualTypeOf<PluginHandle['state']>();
    // @ts-expect-error a text is no number
    void (() => tally.add('2'));
    // @ts-expect-error there is no such op
    void (() => tally.execute({ op: 'reset' }));
  });

  it('has a method that stands in the place of a verb, and can still call that', async () => {
    const manager = createManager();
    const tally = await manager.register(tallySpec('tally'));
    await manager.up();
    expect(await tally.execute(5)).toBe(5);
    expect(await tally.execute({ op: 'total' })).toBe(5);
    expectTypeOf(tally.execute).parameter(0).toEqualTypeOf<Input | number>();
  });

  it('gives the handle of plugin() the same, as long as it is registered', async () => {
    const manager = createManager();
    const spec = tallySpec('tally');
    await manager.register(spec);
    await manager.up();
    const tally = manager.plugin(spec);
    expectTypeOf(tally).toExtend<
      TypedHandle<Input, number, { add(by?: number): Promise<number> }>
    >();
    expect(await tally.add(4)).toBe(4);
    await tally.unregister();
    expect(await failureFrom(() => manager.plugin(spec))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is checked as any other: its symbol is no unknown field, and a wrong field is one', async () => {
    const manager = createManager();
    const wrong = { ...tallySpec('tally'), colour: 'red' };
    expect(await failureFrom(() => manager.register(wrong))).toMatchObject({
      code: 'INVALID_SPEC',
      data: { problems: ['unknown field "colour"'] },
    });
    expect(manager.listPlugins()).toEqual([]);
  });

  it('can be a child of a group', async () => {
    const manager = createManager();
    const spec = tallySpec('tally');
    await manager.group('tallies', { strategy: 'one-for-one' }, [spec]);
    expect(await manager.plugin(spec).add(7)).toBe(7);
  });
});
