import { inspect } from 'node:util';

import type { StorageOptions } from 'troupe/plugins';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { createManager, run } from '../support/manager.ts';
import { redisMissing, startRedis, type RedisServer } from '../support/redis-server.ts';
import { codeOf, failureOf, lmdbOptions, ownOptions, runStorage } from '../support/storage.ts';

const NO_REDIS = redisMissing();
let redis: RedisServer | undefined;
let prefixes = 0;

beforeAll(async () => {
  if (!NO_REDIS) redis = await startRedis();
});
afterAll(() => redis?.remove());

interface Kind {
  name: string;
  options(): StorageOptions | Promise<StorageOptions>;
}

const KINDS: Kind[] = [
  { name: 'memory', options: () => ({ backend: 'memory' }) },
  { name: 'lmdb', options: lmdbOptions },
  {
    name: 'redis',
    options: () => ({
      backend: 'redis',
      url: redis?.url ?? '',
      keyPrefix: `test-${String(++prefixes)}`,
    }),
  },
  { name: 'own', options: ownOptions },
];

// The same claims of every backend.
describe.each(KINDS)('a storage plugin with the backend $name', ({ name, options }) => {
  const isLeftOut = name === 'redis' && NO_REDIS !== undefined;
  const open = async (more: StorageOptions = {}) =>
    runStorage({ ...(await options()), sweepMs: 0, ...more });

  test.skipIf(isLeftOut)('gives back what was put, and undefined for what was not', async () => {
    const storage = await open();
    expect(await storage.get('a')).toBeUndefined();
    await storage.put('a', 1);
    expect(await storage.get('a')).toBe(1);
    await storage.put('a', { two: 2 });
    expect(await storage.get('a')).toEqual({ two: 2 });
    expect(await storage.has('a')).toBe(true);
    expect(await storage.has('b')).toBe(false);
  });

  test.skipIf(isLeftOut)('keeps values of every kind that the bus carries', async () => {
    const storage = await open();
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const values: unknown[] = [
      undefined,
      null,
      '',
      'half \ud800 a pair, and 🎭',
      0,
      -0,
      NaN,
      -Infinity,
      1.5,
      2n ** 80n,
      [1, undefined, [2]],
      // oxlint-disable-next-line no-sparse-arrays
      [1, , 3],
      { a: { b: undefined } },
      new Map<unknown, unknown>([[{ key: 1 }, new Set([1n])]]),
      new Date(86_400_000),
      /a+/gi,
      new Uint8Array([1, 2, 3]),
      new Float64Array([0.1]),
      new BigInt64Array([-1n]),
      new Uint8Array([7, 8]).buffer,
      new DataView(new Uint8Array([9]).buffer),
      new RangeError('out of it'),
      cycle,
      JSON.parse('{ "__proto__": 1 }'),
    ];
    for (const [at, value] of values.entries()) {
      await storage.put(`value ${String(at)}`, value);
      expect(await storage.has(`value ${String(at)}`)).toBe(true);
      expect(await storage.get(`value ${String(at)}`)).toStrictEqual(value);
    }
  });

  test.skipIf(isLeftOut)('keeps of errors all that the bus carries of them', async () => {
    const manager = createManager();
    const storage = await runStorage({ ...(await options()), sweepMs: 0 }, { manager });
    const echo = await run(manager, 'echo.mjs', { isolation: 'thread' });
    const code = 'E_CAKE';
    const cause = Object.assign(new RangeError('too hot', { cause: 'the oven' }), { code: 7 });
    const own = Object.assign(new TypeError('it fell', { cause }), { code, name: 'CakeError' });
    const sent = { own, list: [new AggregateError([own], 'all fell'), new SyntaxError('odd')] };
    const carried = await echo.execute(sent);
    expect(carried).toMatchObject({ own: { name: 'CakeError', code, cause: { code: 7 } } });
    await storage.put('failures', sent);
    const found = await storage.get('failures');
    expect(inspect(found)).toBe(inspect(carried));
    expect(found).toStrictEqual(carried);
    expect(await storage.scan()).toStrictEqual([{ key: 'failures', value: carried }]);
    expect(await storage.cas('failures', sent, 'mended')).toEqual({ swapped: true });
  });

  test.skipIf(isLeftOut)('deletes, and says whether there was something to delete', async () => {
    const storage = await open();
    await storage.put('a', 1);
    expect(await storage.delete('a')).toBe(true);
    expect(await storage.delete('a')).toBe(false);
    expect(await storage.has('a')).toBe(false);
    expect(await storage.count()).toBe(0);
  });

  test.skipIf(isLeftOut)(
    'keeps namespaces apart, also where their names run into keys',
    async () => {
      const storage = await open();
      await storage.put('b', 'default');
      await storage.put('b', 'a', { namespace: 'a' });
      await storage.put('', 'ignored', { namespace: 'ab' }).catch(() => undefined);
      await storage.put('a:b', 'empty', { namespace: '' });
      await storage.put('b', 'a:', { namespace: 'a:' });
      expect(await storage.get('b')).toBe('default');
      expect(await storage.get('b', { namespace: 'default' })).toBe('default');
      expect(await storage.get('b', { namespace: 'a' })).toBe('a');
      expect(await storage.get('a:b', { namespace: '' })).toBe('empty');
      expect(await storage.clear({ namespace: 'a' })).toBe(1);
      expect(await storage.get('b', { namespace: 'a' })).toBeUndefined();
      expect(await storage.get('b', { namespace: 'a:' })).toBe('a:');
      expect(await storage.scan({ namespace: '' })).toEqual([{ key: 'a:b', value: 'empty' }]);
    },
  );

  test.skipIf(isLeftOut)('orders keys by their UTF-8 bytes, whatever is in them', async () => {
    const storage = await open();
    const keys = ['a', 'a\0', 'a\0b', 'aa', 'b', 'z', 'é', '\u{ffff}', '🎭', '🎭a', ' '];
    const ordered = keys.toSorted((one, other) =>
      Buffer.compare(Buffer.from(one), Buffer.from(other)),
    );
    for (const key of keys) await storage.put(key, key);
    const found = await storage.scan();
    expect(found.map(({ key }) => key)).toEqual(ordered);
    const back = await storage.scan({ reverse: true, keysOnly: true });
    expect(back).toEqual(ordered.toReversed().map((key) => ({ key })));
  });

  test.skipIf(isLeftOut)(
    'scans by prefix and range, forwards and backwards, as much as is asked for',
    async () => {
      const storage = await open();
      for (const key of ['a', 'b1', 'b2', 'b3', 'c', 'b\u{10ffff}']) await storage.put(key, key);
      const keysOf = async (range: Parameters<typeof storage.scan>[0]) =>
        (await storage.scan(range)).map(({ key }) => key);
      expect(await keysOf({ prefix: 'b' })).toEqual(['b1', 'b2', 'b3', 'b\u{10ffff}']);
      expect(await keysOf({ prefix: 'b\u{10ffff}' })).toEqual(['b\u{10ffff}']);
      expect(await keysOf({ start: 'b2' })).toEqual(['b2', 'b3', 'b\u{10ffff}', 'c']);
      expect(await keysOf({ end: 'b2' })).toEqual(['a', 'b1']);
      expect(await keysOf({ prefix: 'b', start: 'b2', end: 'b3' })).toEqual(['b2']);
      expect(await keysOf({ start: 'b1', end: 'b3', reverse: true })).toEqual(['b2', 'b1']);
      expect(await keysOf({ prefix: 'b', limit: 2 })).toEqual(['b1', 'b2']);
      expect(await keysOf({ reverse: true, limit: 2 })).toEqual(['c', 'b\u{10ffff}']);
      expect(await keysOf({ limit: 0 })).toEqual([]);
      expect(await keysOf({ start: 'c', end: 'a' })).toEqual([]);
      expect(await keysOf({ prefix: 'x' })).toEqual([]);
      expect(await keysOf({ namespace: 'none' })).toEqual([]);
      expect(await storage.count({ prefix: 'b' })).toBe(4);
      expect(await storage.count()).toBe(6);
    },
  );

  test.skipIf(isLeftOut)(
    'streams more than it reads at once, each key once and in order',
    async () => {
      const storage = await open();
      const keys = Array.from({ length: 700 }, (_, at) => `key ${String(at).padStart(4, '0')}`);
      await storage.batch(keys.map((key) => ({ op: 'put', key, value: key })));
      const found: string[] = [];
      for await (const { key, value } of storage.entries()) {
        expect(value).toBe(key);
        found.push(key);
      }
      expect(found).toEqual(keys);
      const back: string[] = [];
      for await (const { key } of storage.entries({ reverse: true, keysOnly: true, limit: 600 })) {
        back.push(key);
      }
      expect(back).toEqual(keys.toReversed().slice(0, 600));
    },
  );

  test.skipIf(isLeftOut)(
    'does a batch as a whole, over namespaces; the later of two operations wins',
    async () => {
      const storage = await open();
      await storage.put('old', 1);
      const result = await storage.batch(
        [
          { op: 'put', key: 'a', value: 1 },
          { op: 'delete', key: 'old' },
          { op: 'put', key: 'b', value: 2, namespace: 'other' },
          { op: 'put', key: 'a', value: 3 },
          { op: 'put', key: 'gone', value: 4 },
          { op: 'delete', key: 'gone' },
        ],
        { namespace: 'default' },
      );
      expect(result).toEqual({ applied: 6 });
      expect(await storage.scan()).toEqual([{ key: 'a', value: 3 }]);
      expect(await storage.get('b', { namespace: 'other' })).toBe(2);
      expect((await storage.stats())?.plugin['entries']).toBe(2);
      expect(await storage.batch([])).toEqual({ applied: 0 });
    },
  );

  test.skipIf(isLeftOut)(
    'does a batch with conditions only where all hold, and names one that does not',
    async () => {
      const storage = await open();
      await storage.put('stock', { left: 2 });
      const take = (expected: unknown) =>
        storage.batch(
          [
            { op: 'put', key: 'stock', value: { left: 1 } },
            { op: 'put', key: 'order', value: 'ours' },
          ],
          { conditions: [{ key: 'order' }, { key: 'stock', expected }] },
        );
      expect(await take({ left: 3 })).toEqual({
        applied: 0,
        failed: { namespace: 'default', key: 'stock', current: { left: 2 } },
      });
      expect(await storage.has('order')).toBe(false);
      expect(await take({ left: 2 })).toEqual({ applied: 2 });
      expect(await take({ left: 1 })).toEqual({
        applied: 0,
        failed: { namespace: 'default', key: 'order', current: 'ours' },
      });
    },
  );

  test.skipIf(isLeftOut)(
    'swaps where the value is deeply what was expected, else gives what is there',
    async () => {
      const storage = await open();
      expect(await storage.cas('k', 'something', 1)).toEqual({
        swapped: false,
        current: undefined,
      });
      expect(await storage.cas('k', undefined, { a: 1, b: [1.5, 2] })).toEqual({ swapped: true });
      expect(await storage.cas('k', undefined, 2)).toEqual({
        swapped: false,
        current: { a: 1, b: [1.5, 2] },
      });
      // other bytes for the same: other order of keys, a number as integer or as double
      expect(await storage.cas('k', { b: [1.5, 2], a: 1 }, [1])).toEqual({ swapped: true });
      const [half = 0] = new Float64Array([2.5]);
      expect(await storage.cas('k', [half * 0.4], new Set([1]))).toEqual({ swapped: true });
      expect(await storage.cas('k', new Set([2]), 3)).toEqual({
        swapped: false,
        current: new Set([1]),
      });
      expect(await storage.get('k')).toEqual(new Set([1]));
    },
  );

  test.skipIf(isLeftOut)('lets exactly one of many swaps at once win each round', async () => {
    const storage = await open();
    await storage.put('n', 0);
    const add = async (): Promise<void> => {
      for (;;) {
        const n = (await storage.get<number>('n')) ?? 0;
        if ((await storage.cas('n', n, n + 1)).swapped) return;
      }
    };
    await Promise.all(Array.from({ length: 40 }, add));
    expect(await storage.get('n')).toBe(40);
  });

  test.skipIf(isLeftOut)(
    'no longer sees what has expired, whether it was removed or not',
    async () => {
      const storage = await open();
      await storage.put('stays', 1, { ttlMs: 600_000 });
      await storage.put('renewed', 1, { ttlMs: 1 });
      await storage.put('renewed', 2);
      await storage.batch([{ op: 'put', key: 'goes', value: 1, ttlMs: 1 }]);
      await eventually(async () => !(await storage.has('goes')));
      expect(await storage.get('goes')).toBeUndefined();
      expect(await storage.scan()).toEqual([
        { key: 'renewed', value: 2 },
        { key: 'stays', value: 1 },
      ]);
      expect(await storage.delete('goes')).toBe(false);
      await storage.put('goes', 1, { ttlMs: 1 });
      await eventually(async () => !(await storage.has('goes')));
      expect(await storage.cas('goes', undefined, 'new', { ttlMs: 1 })).toEqual({ swapped: true });
      await eventually(async () => !(await storage.has('goes')));
      expect(await storage.count()).toBe(2);
      await storage.put('goes', 1, { ttlMs: 1 });
      await eventually(async () => !(await storage.has('goes')));
      expect(await storage.clear()).toBe(2);
      expect((await storage.stats())?.plugin).toMatchObject({ entries: 0, bytes: 0 });
    },
  );

  test.skipIf(isLeftOut)('removes what has expired by itself', async () => {
    const storage = await open({ sweepMs: 5 });
    await storage.put('stays', 1);
    await storage.batch(
      Array.from({ length: 1_500 }, (_, at) => ({
        op: 'put' as const,
        key: `goes ${String(at)}`,
        value: at,
        ttlMs: 1,
      })),
    );
    await eventually(async () => {
      expect((await storage.stats())?.plugin).toMatchObject({ entries: 1, swept: 1_500 });
    });
  });

  test.skipIf(isLeftOut)(
    'refuses what would be more than maxBytes, and writes nothing of it',
    async () => {
      const storage = await open({ maxBytes: 4_096 });
      await storage.put('small', 1);
      const before = (await storage.stats())?.plugin;
      expect(await codeOf(storage.put('large', 'x'.repeat(5_000)))).toBe('STORAGE_FULL');
      const batch = Array.from({ length: 5 }, (_, at) => ({
        op: 'put' as const,
        key: String(at),
        value: 'x'.repeat(1_000),
      }));
      expect(await codeOf(storage.batch(batch))).toBe('STORAGE_FULL');
      expect(await storage.scan()).toEqual([{ key: 'small', value: 1 }]);
      expect((await storage.stats())?.plugin).toMatchObject({
        entries: 1,
        bytes: before?.['bytes'],
        bytesMax: 4_096,
        refusedAsFull: 2,
      });
      // room that was made is room, and what has expired takes none
      await storage.batch(batch.slice(0, 3).map((put) => Object.assign({ ttlMs: 1 }, put)));
      await eventually(async () => (await storage.scan()).length === 1);
      await storage.batch(batch.slice(0, 3));
      expect(await storage.delete('0')).toBe(true);
      await storage.put('3', 'x'.repeat(1_000));
      expect(await storage.count()).toBe(4);
    },
  );

  test.skipIf(isLeftOut)(
    'refuses a key that is too long, and a value that cannot be stored, before it writes',
    async () => {
      const storage = await open();
      const longest = '\u{e9}'.repeat(976);
      await storage.put(longest, 1, { namespace: 'eight by' });
      expect(await storage.scan({ namespace: 'eight by' })).toEqual([{ key: longest, value: 1 }]);
      const longer = { namespace: 'eight by' };
      expect(await codeOf(storage.put(`${longest}a`, 1, longer))).toBe('STORAGE_KEY_TOO_LONG');
      expect(await codeOf(storage.get(`${longest}a`, longer))).toBe('STORAGE_KEY_TOO_LONG');
      const batch = storage.batch([
        { op: 'put', key: 'fine', value: 1 },
        { op: 'put', key: longest, value: 1, namespace: 'x'.repeat(9) },
      ]);
      expect(await codeOf(batch)).toBe('STORAGE_KEY_TOO_LONG');
      const shared = storage.put('shared', { memory: new SharedArrayBuffer(8) });
      expect(await codeOf(shared)).toBe('STORAGE_VALUE_INVALID');
      expect(await storage.count()).toBe(0);
    },
  );

  test.skipIf(isLeftOut)('refuses a value of more than 32 MiB, and goes on', async () => {
    const storage = await open({ limits: { payloadBytesMax: 40_000_000 } });
    const { code, message } = await failureOf(storage.put('large', new Uint8Array(33_554_432)));
    expect(code).toBe('STORAGE_VALUE_TOO_LARGE');
    expect(message).toMatch(
      /^the value of "large" in the namespace "default" has 335544\d\d bytes, at most 33554432 can be stored/,
    );
    expect(await storage.has('large')).toBe(false);
    await storage.put('small', 1);
    expect(await storage.get('small')).toBe(1);
  });

  test.skipIf(isLeftOut)(
    'what is more than the bus may carry is an error of its call',
    async () => {
      const storage = await open({ limits: { payloadBytesMax: 10_000 } });
      const tooLarge = { code: 'PAYLOAD_TOO_LARGE' };
      await expect(storage.put('large', 'x'.repeat(10_000))).rejects.toMatchObject(tooLarge);
      for (const key of ['a', 'b', 'c']) await storage.put(key, key.repeat(4_000));
      // each fits, all of them do not
      await expect(storage.scan()).rejects.toMatchObject(tooLarge);
      const keys: string[] = [];
      for await (const { key } of storage.entries()) keys.push(key);
      expect(keys).toEqual(['a', 'b', 'c']);
      expect((await storage.stats())?.restarts).toBe(0);
    },
  );

  test.skipIf(isLeftOut)('keeps a value of some megabytes', async () => {
    const storage = await open();
    const bytes = new Uint8Array(5_000_000).fill(7);
    await storage.put('large', { bytes });
    const found = await storage.get<{ bytes: Uint8Array }>('large');
    expect(Buffer.compare(found?.bytes ?? new Uint8Array(), bytes)).toBe(0);
  });

  test.skipIf(isLeftOut)('tells what it holds and what it was asked', async () => {
    const storage = await open();
    await storage.put('ab', 'c');
    await storage.get('ab');
    await storage.get('ab');
    const stats = await storage.stats();
    expect(stats?.plugin).toMatchObject({ entries: 1, operations: { put: 1, get: 2 } });
    // namespace, key and the encoded value
    expect(stats?.plugin['bytes']).toBeGreaterThan('default'.length + 'ab'.length);
    const health = await storage.health();
    expect(health).toMatchObject({ healthy: true, ready: true });
  });
});
