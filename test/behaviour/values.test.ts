/** Values cross a thread as faithfully as structured clone, both ways. DESIGN §6; FAILURES 23. */
import { describe, expect, it } from 'vitest';

import { createManager, run } from '../support/manager.ts';

interface Node {
  name: string;
  self?: Node;
  list?: unknown[];
}

const when = new Date('2025-02-03T04:05:06.789Z');

describe('a value comes back as it was sent', () => {
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a boolean', true],
    ['an empty text', ''],
    ['text of all planes', 'é 漢 😀 \u0000 \uFFFF'],
    ['a lone surrogate', 'a\uD800b'],
    ['zero', 0],
    ['a great integer', Number.MAX_SAFE_INTEGER],
    ['a small one', -(2 ** 40)],
    ['a fraction', 0.1 + 0.2],
    ['the least number', Number.MIN_VALUE],
    ['infinity', Number.NEGATIVE_INFINITY],
    ['not a number', Number.NaN],
    ['minus zero', -0],
    ['a bigint', 2n ** 63n - 1n],
    ['a bigint beyond 64 bits', -(2n ** 200n)],
    ['a date', when],
    ['a date that is none', new Date(Number.NaN)],
    ['a regular expression', /a+(?<b>c)/giu],
    ['an empty array', []],
    ['an array with undefined', [1, undefined, 3]],
    ['an object with undefined', { a: undefined, b: 1 }],
    ['nested objects', { a: { b: [{ c: 'd' }] } }],
    ['keys like numbers', { 1: 'one', x: 'y', 0: 'zero' }],
    [
      'a Map',
      new Map<unknown, unknown>([
        ['a', 1],
        [2, new Map([['deep', when]])],
        [{ k: 1 }, null],
      ]),
    ],
    ['a Set', new Set<unknown>([1, 'two', new Set([3])])],
    ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
    ['a DataView', new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)],
    ['a Uint8Array', new Uint8Array([0, 1, 255])],
    ['an Int8Array', new Int8Array([-1, 0, 1])],
    ['a Uint8ClampedArray', new Uint8ClampedArray([0, 255])],
    ['an Int16Array', new Int16Array([-300, 300])],
    ['a Uint16Array', new Uint16Array([65_535])],
    ['an Int32Array', new Int32Array([-(2 ** 31)])],
    ['a Uint32Array', new Uint32Array([2 ** 32 - 1])],
    ['a Float32Array', new Float32Array([0.5, Number.NaN])],
    ['a Float64Array', new Float64Array([Math.PI, -0])],
    ['a BigInt64Array', new BigInt64Array([-1n])],
    ['a BigUint64Array', new BigUint64Array([2n ** 64n - 1n])],
    ['a part of a buffer', new Uint16Array(new ArrayBuffer(16), 4, 2).fill(7)],
  ])('%s', async (_, value) => {
    const manager = createManager();
    const plugin = await run(manager, 'echo.mjs');
    const back = await plugin.execute({ value });
    expect(back).toStrictEqual(structuredClone({ value }));
    expect(await plugin.execute(value)).toStrictEqual(structuredClone(value));
  });

  it('with its cycles', async () => {
    const manager = createManager();
    const plugin = await run<Node, Node>(manager, 'echo.mjs');
    const value: Node = { name: 'loop' };
    value.self = value;
    value.list = [value, [value]];
    const back = await plugin.execute(value);
    expect(back.name).toBe('loop');
    expect(back.self).toBe(back);
    expect(back.list?.[0]).toBe(back);
    expect(back).not.toBe(value);
  });

  it('with one object in two places still being one', async () => {
    const manager = createManager();
    const plugin = await run<object, { a: unknown; map: Map<string, unknown> }>(
      manager,
      'echo.mjs',
    );
    const one = { shared: true };
    const back = await plugin.execute({ a: one, map: new Map([['b', one]]) });
    expect(back.map.get('b')).toBe(back.a);
  });

  it('with a Map and a Set that hold themselves', async () => {
    const manager = createManager();
    const plugin = await run<Map<string, unknown>, Map<string, unknown>>(manager, 'echo.mjs');
    const map = new Map<string, unknown>();
    map.set('self', map).set('set', new Set([map]));
    const back = await plugin.execute(map);
    expect(back.get('self')).toBe(back);
    expect((back.get('set') as Set<unknown>).has(back)).toBe(true);
  });

  it('as an Error with its class, code and cause', async () => {
    const manager = createManager();
    const plugin = await run<{ error: Error }, { error: Error & { code: string } }>(
      manager,
      'echo.mjs',
    );
    const cause = new TypeError('below');
    const sent = Object.assign(new RangeError('above', { cause }), { code: 'E_SENT' });
    const { error } = await plugin.execute({ error: sent });
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: 'above', code: 'E_SENT', stack: sent.stack });
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(error.cause).toMatchObject({ message: 'below' });
  });

  it('as a SharedArrayBuffer that is the same memory', async () => {
    const manager = createManager();
    const plugin = await run<SharedArrayBuffer, SharedArrayBuffer>(manager, 'echo.mjs', {
      isolation: 'thread',
    });
    const memory = new SharedArrayBuffer(4);
    const back = await plugin.execute(memory);
    new Int32Array(memory)[0] = 7;
    expect(new Int32Array(back)[0]).toBe(7);
  });

  it('of a class as a plain object', async () => {
    class Point {
      readonly x = 1;
    }
    const manager = createManager();
    const plugin = await run<Point, object>(manager, 'echo.mjs');
    const back = await plugin.execute(new Point());
    expect(back).toStrictEqual({ x: 1 });
  });

  it('and a copy: what the caller changes later is not seen', async () => {
    const manager = createManager();
    const plugin = await run<{ bytes: Uint8Array }, { bytes: Uint8Array }>(manager, 'echo.mjs');
    const value = { bytes: new Uint8Array([1, 2]) };
    const answer = plugin.execute(value);
    value.bytes[0] = 99;
    expect((await answer).bytes).toEqual(new Uint8Array([1, 2]));
    expect(value.bytes).toHaveLength(2);
  });
});

describe('a large buffer', () => {
  it('arrives as it was when the call was made, and is the sender’s still', async () => {
    const manager = createManager();
    const plugin = await run<unknown, { bytes: Uint8Array; part: Float64Array }>(
      manager,
      'echo.mjs',
    );
    const bytes = new Uint8Array(1_000_000).fill(7);
    const part = new Float64Array(bytes.buffer, 80, 10_000);
    const wanted = structuredClone({ bytes, part });
    // the second waits for its turn meanwhile
    const answers = [plugin.execute({ bytes, part }), plugin.execute({ bytes, part })];
    bytes.fill(9);
    const [first, second] = await Promise.all(answers);
    expect([first?.bytes, first?.part]).toEqual([wanted.bytes, wanted.part]);
    expect([second?.bytes, second?.part]).toEqual([wanted.bytes, wanted.part]);
    expect(bytes).toHaveLength(1_000_000);
  });
});

describe('transfer', () => {
  it('moves an input: the sender’s buffer is detached', async () => {
    const manager = createManager();
    const plugin = await run<Uint8Array>(manager, 'mover.mjs');
    const bytes = new Uint8Array(1_000_000).fill(7);
    const answer = plugin.execute(bytes, { transfer: [bytes.buffer] });
    expect(await answer).toMatchObject({ received: 1_000_000, sum: 7_000_000 });
    expect(bytes.byteLength).toBe(0);
  });

  it('moves a result: the plugin’s buffer is detached', async () => {
    const manager = createManager();
    const plugin = await run<unknown, { bytes: Uint8Array }>(manager, 'mover.mjs');
    const { bytes } = await plugin.execute({ send: 500_000 });
    expect(bytes).toEqual(new Uint8Array(500_000).fill(9));
    expect(await plugin.execute({ left: true })).toBe(0);
  });

  it('of many calls keeps their order', async () => {
    const manager = createManager();
    const plugin = await run<unknown, { received: number }>(manager, 'mover.mjs');
    const answers = [1, 2, 3, 4, 5].map(async (length) => {
      const bytes = new Uint8Array(length);
      return (await plugin.execute(bytes, { transfer: [bytes.buffer] })).received;
    });
    expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5]);
  });
});
