import type { StorageOptions } from 'troupe/plugins';
import { expect, test } from 'vitest';

import { inline } from '../support/files.ts';
import { createManager, run } from '../support/manager.ts';
import { codeOf, failureOf, lmdbOptions, ownOptions, runStorage } from '../support/storage.ts';

const KEYS = 1_000_000;
const BATCH = 20_000;

test.each([
  // its entries are not in the thread's memory
  {
    name: 'lmdb, within 96 MiB',
    options: async () => ({ ...(await lmdbOptions()), limits: { memoryMb: 96 } }),
  },
  { name: 'memory', options: (): StorageOptions => ({ backend: 'memory' }) },
])(
  'a million keys are counted and streamed, and are too many for one array: $name',
  async ({ options }) => {
    const storage = await runStorage(await options());
    for (let at = 0; at < KEYS; at += BATCH) {
      const operations = Array.from({ length: BATCH }, (_, n) => ({
        op: 'put' as const,
        key: String(at + n).padStart(7, '0'),
        value: at + n,
      }));
      await storage.batch(operations);
    }
    expect(await storage.count()).toBe(KEYS);
    let next = 0;
    for await (const { key, value } of storage.entries()) {
      if (Number(key) !== next || value !== next)
        throw new Error(`${key} came as number ${String(next)}`);
      next++;
    }
    expect(next).toBe(KEYS);
    const { code, message } = await failureOf(storage.scan());
    expect(code).toBe('STORAGE_SCAN_TOO_LONG');
    expect(message).toContain('more than 10000 entries');
    expect(await storage.scan({ start: '0500000', limit: 10_000, keysOnly: true })).toHaveLength(
      10_000,
    );
    expect((await storage.stats())?.restarts).toBe(0);
  },
  300_000,
);

test('a reader that leaves early ends the scan, and one that reads slowly holds it back', async () => {
  const storage = await runStorage(await lmdbOptions());
  const operations = Array.from({ length: 5_000 }, (_, n) => ({
    op: 'put' as const,
    key: String(n).padStart(5, '0'),
    value: n,
  }));
  await storage.batch(operations);
  for await (const { key } of storage.entries()) {
    if (key === '00009') break;
  }
  const entries = storage.entries()[Symbol.asyncIterator]();
  expect((await entries.next()).value).toEqual({ key: '00000', value: 0 });
  // what is deleted far behind the reader was not read before
  await storage.clear();
  let last: unknown;
  for (let step = await entries.next(); !step.done; step = await entries.next()) last = step.value;
  expect(last).toBeDefined();
  expect(last).not.toEqual({ key: '04999', value: 4_999 });
});

test('a scan in parts continues behind the last key', async () => {
  const storage = await runStorage({ backend: 'memory' });
  for (const key of ['a', 'a\0', 'b', 'c', 'd']) await storage.put(key, key);
  const found: string[] = [];
  for (let start = ''; ;) {
    const part = await storage.scan({ start, limit: 2 });
    found.push(...part.map(({ key }) => key));
    const last = part.at(-1);
    if (!last || part.length < 2) break;
    start = `${last.key}\0`;
  }
  expect(found).toEqual(['a', 'a\0', 'b', 'c', 'd']);
  expect(await codeOf(storage.scan({ limit: 10_001 }))).toBe('STORAGE_SCAN_TOO_LONG');
});

test('a backend of one’s own that is none is refused at init, and named', async () => {
  const manager = createManager();
  const failure = async (id: string, source: string) =>
    failureOf(runStorage({ backend: inline(source) }, { manager, id }));
  expect(await failure('none', 'export const x = 1')).toEqual({
    code: 'STORAGE_BACKEND_INVALID',
    message:
      "the backend's module has no default export that is a function which makes a StorageBackend",
  });
  expect(await failure('part', 'export default () => ({ get() {}, commit() {} })')).toEqual({
    code: 'STORAGE_BACKEND_INVALID',
    message: "the backend's module made a backend without scan, count, clear, sweep, usage, close",
  });
  expect(await failure('broken', 'this is no module')).toMatchObject({
    code: 'STORAGE_BACKEND_INVALID',
    message: expect.stringContaining("the backend's module cannot be loaded:") as string,
  });
  const refusing = runStorage(
    { ...ownOptions(), backendOptions: { fail: true } },
    { manager, id: 'refusing' },
  );
  expect((await failureOf(refusing)).message).toBe('it will not');
});

test('an error of a backend of one’s own is an error of that call, with its message', async () => {
  const source = `export default () => ({
    get() { throw new TypeError('the disk is a cake'); },
    commit() {}, scan() {}, count() {}, clear() {}, sweep() {}, close() {},
    usage: () => ({ entries: 0, bytes: 0 }),
  })`;
  const storage = await runStorage({ backend: inline(source) });
  expect(await failureOf(storage.get('a'))).toEqual({
    code: 'STORAGE_FAILED',
    message: 'the backend failed: the disk is a cake',
  });
  expect((await storage.stats())?.restarts).toBe(0);
});

test('a backend of one’s own that does not answer is not healthy, and the plugin lives', async () => {
  const source = `const never = () => new Promise(() => {});
  export default () => ({
    get: () => undefined,
    commit() {}, scan() {}, count() {}, clear() {}, sweep() {}, close() {},
    usage: never,
    ping: never,
  })`;
  const storage = await runStorage({ backend: inline(source) });
  await storage.get('a');
  const reason = 'no answer within 500 ms';
  expect(await storage.health()).toMatchObject({ healthy: false, live: true, detail: { reason } });
  expect((await storage.stats())?.plugin).toMatchObject({ reason, operations: { get: 1 } });
});

test('what is in memory is carried over by a reload, with what is left of its time', async () => {
  const storage = await runStorage({ backend: 'memory' });
  await storage.put('stays', new Map([[1, 2]]));
  await storage.put('limited', 1, { ttlMs: 600_000, namespace: 'other' });
  const before = (await storage.stats())?.plugin;
  const { ok, statePreserved } = await storage.reload();
  expect({ ok, statePreserved }).toEqual({ ok: true, statePreserved: true });
  expect(await storage.get('stays')).toEqual(new Map([[1, 2]]));
  expect(await storage.get('limited', { namespace: 'other' })).toBe(1);
  const after = (await storage.stats())?.plugin;
  expect({ entries: after?.['entries'], bytes: after?.['bytes'] }).toEqual({
    entries: before?.['entries'],
    bytes: before?.['bytes'],
  });
});

test('other plugins use it over the bus, as calls and as streams', async () => {
  const manager = createManager();
  const storage = await runStorage({ backend: 'memory' }, { manager });
  const user = await run(manager, 'storage-user.mjs');
  expect(await user.execute({ storage: 'storage', namespace: 'user' })).toEqual(['a']);
  expect(await storage.get('a', { namespace: 'user' })).toBe(1);
});

test('inputs that are none are refused by name, and nothing happens', async () => {
  const storage = await runStorage({ backend: 'memory' });
  const manager = storage as { execute(input: unknown): Promise<unknown> };
  const { code, message } = await failureOf(manager.execute({ op: 'get', kye: 'a' }));
  expect({ code, message }).toEqual({
    code: 'STORAGE_INVALID_INPUT',
    message: 'get needs key',
  });
  expect((await failureOf(manager.execute('a'))).message).toContain(
    'not an object with an op: get',
  );
});
