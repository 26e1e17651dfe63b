/** Storage with `isolation: 'process'`: the same, and what aborts a process aborts that one alone. */
import { expect, test } from 'vitest';

import { inline } from '../support/files.ts';
import { createManager, EAGER_RESTART } from '../support/manager.ts';
import { codeOf, lmdbOptions, runStorage } from '../support/storage.ts';

test('a storage plugin in a process does what one in a thread does, on the same file', async () => {
  const manager = createManager();
  const options = await lmdbOptions();
  const apart = await runStorage(
    { ...options, isolation: 'process' },
    { manager, id: 'in-process' },
  );
  const beside = await runStorage(options, { manager, id: 'in-thread' });
  const failure = Object.assign(new RangeError('it fell'), { name: 'CakeError', code: 'E_CAKE' });
  const value = { map: new Map([[1n, new Date(0)]]), bytes: new Uint8Array([1]), failure };
  await apart.put('a', value);
  for (const storage of [apart, beside]) {
    const found = await storage.get<typeof value>('a');
    expect(found?.map).toEqual(value.map);
    expect(found?.bytes).toEqual(value.bytes);
    expect(found?.failure).toMatchObject({ name: 'CakeError', code: 'E_CAKE' });
  }
  await beside.batch(
    ['b', 'c'].map((key) => ({ op: 'put' as const, key, value: key, namespace: 'n' })),
  );
  const entries: unknown[] = [];
  for await (const entry of apart.entries({ namespace: 'n' })) entries.push(entry);
  expect(entries).toEqual([
    { key: 'b', value: 'b' },
    { key: 'c', value: 'c' },
  ]);
  expect(await apart.cas('a', 'another', 1)).toMatchObject({ swapped: false });
  expect(await codeOf(apart.put('', 1))).toBe('STORAGE_INVALID_INPUT');
  expect(await apart.health()).toMatchObject({ healthy: true });
  expect((await apart.stats())?.plugin).toMatchObject({ backend: 'lmdb', entries: 3 });
  await apart.restart();
  expect(await apart.get('b', { namespace: 'n' })).toBe('b');
});

test('a backend that aborts takes its process along, and nothing else', async () => {
  const source = `const entries = new Map();
  export default () => ({
    get(namespace, key) {
      if (key === 'abort') process.abort();
      return entries.get(key);
    },
    commit({ writes }) {
      for (const { key, entry } of writes) entries.set(key, entry.bytes);
      return { committed: true, existed: writes.map(() => false) };
    },
    scan() {}, count() {}, clear() {}, sweep() {}, close() {},
    usage: () => ({ entries: entries.size, bytes: 0 }),
  })`;
  const storage = await runStorage({
    backend: inline(source),
    isolation: 'process',
    restart: EAGER_RESTART,
  });
  await storage.put('a', 1);
  expect(await storage.get('a')).toBe(1);
  await expect(storage.get('abort')).rejects.toMatchObject({
    code: 'PLUGIN_CRASHED',
    data: { reason: 'killed', generation: 1 },
  });
  // its entries were in the process
  expect(await storage.get('a')).toBeUndefined();
  await storage.put('a', 2);
  expect(await storage.get('a')).toBe(2);
  expect(await storage.stats()).toMatchObject({ generation: 2, restarts: 1 });
});
