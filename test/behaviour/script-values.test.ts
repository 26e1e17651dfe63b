/** What crosses into a script and out of it: values, and streams of them. */
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { inline } from '../support/files.ts';
import { createManager } from '../support/manager.ts';
import { failureOf, readAll } from '../support/outcomes.ts';
import { runScript } from '../support/script.ts';

describe('values', () => {
  const cyclic: Record<string, unknown> = { name: 'cycle' };
  cyclic['self'] = cyclic;
  const shared = { once: 1 };
  const hole = [1, undefined, 3];
  Reflect.deleteProperty(hole, 1);
  it.each([
    ['text', 'a\0b \ud800 \ufeff é'],
    ['numbers', [0, -0, Number.NaN, Infinity, -Infinity, 1e300, 5]],
    ['nothing', undefined],
    ['undefined within', { a: undefined, b: null, c: [undefined] }],
    ['bigints', [1n, -(2n ** 200n)]],
    ['Maps and Sets', new Map<unknown, unknown>([[{ a: 1 }, new Set([1, 'x'])]])],
    ['dates and patterns', [new Date(1e12), new Date(Number.NaN), /a+\/b/giu]],
    ['cycles', cyclic],
    ['shared references', [shared, shared]],
    ['holes', hole],
    ['bytes', [new Uint8Array([1, 2, 3]), new Float64Array([0.5]), new BigInt64Array([-1n])]],
    [
      'buffers and views',
      [new Uint8Array([1, 2]).buffer, new DataView(new Uint8Array([7]).buffer)],
    ],
    ['boxed ones', [Object(1), Object('x'), Object(5n)]],
    ['errors', Object.assign(new RangeError('x', { cause: new Error('y') }), { code: 'E_X' })],
    ['own keys of any name', JSON.parse('{"__proto__":1,"constructor":2,"toJSON":3}')],
    ['much', Array.from({ length: 20_000 }, (_, i) => ({ i, text: `item ${String(i)}` }))],
  ])('cross unchanged: %s', async (_, value) => {
    const script = await runScript(createManager(), 'export default (value) => value;');
    expect(await script.execute(value)).toEqual(value);
    const [first, second] = (await script.execute([value, value])) as unknown[];
    expect(typeof value !== 'object' || first === second).toBe(true);
  });

  it('are what they are inside, too', async () => {
    const script = await runScript(
      createManager(),
      `export default ([map, set, date, bytes, pattern, error, big]) => [map.get(1) instanceof Set, set.has(2), date.getTime(), bytes.length, pattern.test('aaa'), error instanceof TypeError && error.code, typeof big];`,
    );
    const error = Object.assign(new TypeError('x'), { code: 'E' });
    const values = [
      new Map([[1, new Set()]]),
      new Set([2]),
      new Date(5),
      new Uint8Array(3),
      /a/,
      error,
      1n,
    ];
    expect(await script.execute(values)).toEqual([true, true, 5, 3, true, 'E', 'bigint']);
  });

  it('that do not fit into the VM are an error of their call', async () => {
    const script = await runScript(createManager(), 'export default (text) => text.length;', {
      script: { memoryMb: 2 },
    });
    const error = await failureOf(script.execute('x'.repeat(4_000_000)));
    expect(error.code).toBe('CALL_FAILED');
    expect(await script.execute('xyz')).toBe(3);
    expect((await script.stats())?.generation).toBe(1);
  });
});

describe('an answer that does not fit into the VM', () => {
  it.each([
    ['a text', "'x'.repeat(4_000_000)"],
    ['bytes', 'new Uint8Array(4_000_000)'],
  ])('is an error of what asked for it: %s', async (_, large) => {
    const manager = createManager();
    const entry = inline(`export default () => ${large}`);
    await manager.register({ id: 'large', type: 'tool', entry });
    await manager.up();
    const script = await runScript(
      manager,
      `export default async () => { try { await ctx.call('large'); } catch (error) { return error.message; } };`,
      { script: { memoryMb: 2 } },
    );
    expect(await script.execute(0)).toMatch(/does not fit into script\.memoryMb|out of memory/);
    expect((await script.stats())?.generation).toBe(1);
  });
});

describe('streams', () => {
  const source = `let produced = 0, finished = 0;
    async function* slowly(count) { try { for (let i = 0; i < count; i++) { produced++; yield i; } } finally { finished++; } }
    function* at_once(count) { for (let i = 0; i < count; i++) yield i; }
    async function* failing() { yield 1; yield 2; throw new RangeError('after two'); }
    async function* passed(id, input) { for await (const chunk of ctx.stream(id, input)) yield chunk * 2; }
    export default (input) => {
      if (input === 'counts') return { produced, finished };
      const [way, count] = input;
      return { slowly, at_once, failing, passed: () => passed('script', ['slowly', count]), through: () => ctx.stream('script', ['slowly', count]), value: () => 'one', }[way](count);
    };`;
  it.each([
    ['slowly', [0, 1, 2]],
    ['at_once', [0, 1, 2]],
    ['passed', [0, 2, 4]],
    ['through', [0, 1, 2]],
    ['value', ['one']],
  ])('arrive chunk by chunk: %s', async (way, chunks) => {
    const script = await runScript(createManager(), source, { concurrency: 2 });
    expect(await readAll(script.stream([way, 3]))).toEqual({ chunks, error: undefined });
  });

  it('of which a reader takes a few are held back, and ended when it leaves', async () => {
    const script = await runScript<unknown, { produced: number; finished: number }>(
      createManager(),
      source,
      { concurrency: 2 },
    );
    const seen: unknown[] = [];
    for await (const chunk of script.stream(['slowly', 1e6])) if (seen.push(chunk) === 3) break;
    expect(seen).toEqual([0, 1, 2]);
    await eventually(async () => {
      const { produced, finished } = await script.execute('counts');
      expect(finished).toBe(1);
      expect(produced).toBeLessThan(200);
    });
  });

  it('that fail deliver what came before', async () => {
    const script = await runScript(createManager(), source);
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const chunk of script.stream(['failing'])) seen.push(chunk);
    })();
    expect(await failureOf(reading)).toMatchObject({
      code: 'CALL_FAILED',
      cause: { name: 'RangeError', message: 'after two' },
    });
    expect(seen).toEqual([1, 2]);
  });
});
