import { PluginManager, type InputOf, type OutputOf, type PluginHandle } from 'troupe';
import { expect, expectTypeOf, onTestFinished, test } from 'vitest';

type Typed = typeof import('../fixtures/typed.ts');
interface PlainFunction {
  default: (input: string) => Promise<number>;
}

test('a handle has the input and output of its module, which is never imported', async () => {
  const manager = new PluginManager('types', { logs: 'silent' });
  onTestFinished(async () => void (await manager.close()));
  const handle = await manager.register<Typed>({
    id: 'typed',
    type: 'tool',
    entry: new URL('../fixtures/typed.ts', import.meta.url),
  });
  expectTypeOf(handle).toEqualTypeOf<PluginHandle<{ limit: number }, number[]>>();
  await manager.up();
  const numbers = await handle.execute({ limit: 3 });
  expectTypeOf(numbers).toEqualTypeOf<number[]>();
  expect(numbers).toEqual([0, 1, 2]);
});

test('a plain function has types as well, and an untyped module none', () => {
  expectTypeOf<InputOf<PlainFunction>>().toEqualTypeOf<string>();
  expectTypeOf<OutputOf<PlainFunction>>().toEqualTypeOf<number>();
  expectTypeOf<InputOf<unknown>>().toEqualTypeOf<unknown>();
});
