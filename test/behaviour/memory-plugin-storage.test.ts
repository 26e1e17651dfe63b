import { describe, expect, test } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { createManager } from '../support/manager.ts';
import {
  batchesOf,
  registerEmbedding,
  registerStore,
  runMemory,
  textsOf,
  VECTORS,
} from '../support/memory-plugin.ts';
import { codesOf, troubleOf } from '../support/outcomes.ts';

const STORED = { storage: 'store' };

describe('a memory with a storage', () => {
  test('has everything again in its next life: texts, vectors, conversations, order', async () => {
    const manager = createManager();
    await registerStore(manager);
    const memory = await runMemory(manager, { ...STORED, embedder: VECTORS });
    const first = await memory.add('green tea', {
      importance: 0.9,
      metadata: { a: [1, { b: 'ü' }] },
      namespace: 'ada',
      conversation: 'talk',
      role: 'user',
    });
    const second = await memory.add('black tea', { namespace: 'ada', conversation: 'talk' });
    const third = await memory.add('nothing');
    await memory.update(second.id, { namespace: 'ada', text: 'red wine' });
    await memory.delete(third.id);
    const before = await memory.recent({ namespace: 'ada' });
    await memory.restart();
    expect(await memory.recent({ namespace: 'ada' })).toEqual(before);
    expect(before.map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(await memory.get(third.id)).toBeUndefined();
    const found = await memory.search('green tea', { namespace: 'ada', mode: 'vector' });
    expect(textsOf(found)).toEqual(['green tea']);
    expect((await memory.window('talk', 100, { namespace: 'ada' })).messages).toEqual(
      before.toReversed(),
    );
    const later = await memory.add('later');
    expect(later.id > second.id).toBe(true);
    expect((await memory.stats())?.plugin).toMatchObject({ embedded: { texts: 2 }, entries: 3 });
  });

  test('loses nothing that it acknowledged, however often its thread ends in the middle', async () => {
    const manager = createManager();
    await registerStore(manager);
    const memory = await runMemory(manager, { ...STORED, embedder: VECTORS });
    const acknowledged: string[] = [];
    const add = async (text: string): Promise<void> => {
      const { id } = await memory.add(text);
      acknowledged.push(id);
    };
    for (let life = 1; life <= 10; life++) {
      const adds = Array.from({ length: 40 }, (_, n) => add(`note ${String(life)} ${String(n)}`));
      await Promise.race(adds);
      const end = memory.add('#exit').catch(() => undefined);
      await Promise.allSettled([...adds, end]);
      await eventually(() => memory.state === 'running');
    }
    expect((await memory.stats())?.restarts).toBe(10);
    expect(acknowledged.length).toBeGreaterThan(10);
    const there = new Set((await memory.recent({ limit: 1_000 })).map(({ id }) => id));
    expect(acknowledged.filter((id) => !there.has(id))).toEqual([]);
  }, 180_000);

  test('acknowledges nothing that the storage did not take', async () => {
    const manager = createManager();
    const store = await registerStore(manager);
    const memory = await runMemory(manager, STORED);
    const { id } = await memory.add('tea');
    await store.execute({ op: 'fail', message: 'the disk is full' });
    for (const refused of [
      memory.add('coffee'),
      memory.update(id, { text: 'cocoa' }),
      memory.delete(id),
    ]) {
      const { code, message } = await troubleOf(refused);
      expect(code).toBe('MEMORY_STORAGE_FAILED');
      expect(message).toMatch(/^the storage did not take it: .*the disk is full/);
    }
    expect((await memory.recent()).map(({ text }) => text)).toEqual(['tea']);
    expect(await memory.health()).toMatchObject({ healthy: false });
    await store.execute({ op: 'fail' });
    await memory.add('cocoa');
    expect(await memory.health()).toMatchObject({ healthy: true, detail: { storage: 'ok' } });
    await memory.restart();
    expect((await memory.recent()).map(({ text }) => text)).toEqual(['cocoa', 'tea']);
  });

  test('has the one value of many that the storage refuses pay alone', async () => {
    const manager = createManager();
    await registerStore(manager);
    const memory = await runMemory(manager, STORED);
    const codes = await codesOf(['one', 'two #refused', 'three'].map((text) => memory.add(text)));
    expect(codes).toEqual(['ok', 'CALL_FAILED', 'ok']);
    await memory.restart();
    expect(await memory.count()).toBe(2);
  });

  test('waits for the storage no longer than it is told to', async () => {
    const manager = createManager();
    const store = await registerStore(manager);
    const memory = await runMemory(manager, { ...STORED, storageTimeoutMs: 100 });
    await store.execute({ op: 'fail', message: 'silent' });
    const { code, message } = await troubleOf(memory.add('tea'));
    expect([code, message]).toEqual([
      'MEMORY_STORAGE_FAILED',
      expect.stringContaining('100 ms') as string,
    ]);
    expect(await memory.count()).toBe(0);
  });

  test('forgets in the storage what is too much or expired, also after a start', async () => {
    const manager = createManager();
    const store = await registerStore(manager);
    let memory = await runMemory(manager, { ...STORED, storageNamespace: 'notes' });
    await memory.add('gone', { ttlMs: 1 });
    for (const importance of [0.9, 0.1, 0.5]) await memory.add('tea', { importance });
    await store.execute({ op: 'put', namespace: 'notes', key: 'x', value: 'no entry' });
    await memory.unregister();

    memory = await runMemory(manager, { ...STORED, storageNamespace: 'notes', maxEntries: 2 });
    expect((await memory.recent()).map(({ importance }) => importance)).toEqual([0.5, 0.9]);
    expect((await memory.stats())?.plugin).toMatchObject({ evicted: 1, expired: 1, unreadable: 1 });
    await eventually(async () => {
      const kept = await store.execute({ op: 'scan', namespace: 'notes' });
      expect(kept).toHaveLength(3);
    });
  });

  test('gets vectors for what it remembers from when it had no embedder, or another', async () => {
    const manager = createManager();
    await registerStore(manager);
    const embedding = await registerEmbedding(manager);
    let memory = await runMemory(manager, STORED);
    for (const text of ['tea', 'coffee', 'bad #fail']) await memory.add(text);
    const vectorsIn = async (): Promise<number> =>
      (await memory.search('tea coffee', { mode: 'vector' })).found;

    await memory.unregister();
    memory = await runMemory(manager, { ...STORED, embedder: 'embedding' });
    await eventually(async () => {
      expect(await vectorsIn()).toBe(2);
    });
    await memory.unregister();
    const batches = await batchesOf(embedding);

    memory = await runMemory(manager, { ...STORED, embedder: VECTORS, embedderModel: 'new' });
    await eventually(async () => {
      expect((await memory.stats())?.plugin).toMatchObject({ withoutVector: 1 });
    });
    expect(await vectorsIn()).toBe(2);
    expect(await batchesOf(embedding)).toEqual(batches);
  });

  test('is not up where its storage does not answer, and says why', async () => {
    const manager = createManager();
    const spec = {
      type: 'storage',
      entry: 'data:text/javascript,export default () => new Promise(() => undefined)',
    } as const;
    await manager.register({ id: 'store', ...spec });
    const failure = await runMemory(manager, { ...STORED, rebuildTimeoutMs: 100 }).catch(
      (reason: unknown) => reason,
    );
    const [error] = (failure as AggregateError).errors as unknown[];
    expect(error).toMatchObject({ code: 'START_FAILED', pluginId: 'memory' });
    expect((error as Error).message).toMatch(/could not be read back from store: .*100 ms/);
  });

  test('misses nothing that was on its way when it is reloaded', async () => {
    const manager = createManager();
    await registerStore(manager);
    const memory = await runMemory(manager, STORED);
    const adds = Array.from({ length: 200 }, (_, n) => memory.add(`note ${String(n)}`));
    const [result] = await Promise.all([memory.reload(), ...adds]);
    expect(result).toMatchObject({ ok: true, statePreserved: true });
    expect(await memory.count()).toBe(200);
    await memory.restart();
    expect(await memory.count()).toBe(200);
  });

  test('reads ten thousand entries back, and says so', async () => {
    const manager = createManager();
    const store = await registerStore(manager);
    await manager.up();
    const operations = Array.from({ length: 10_000 }, (_, n) => ({
      op: 'put',
      key: `${String(n).padStart(9, '0')}000000000000`,
      value: record(n),
    }));
    await store.execute({ op: 'batch', namespace: 'memory:memory', operations });
    const memory = await runMemory(manager, STORED);
    expect(await memory.count()).toBe(10_000);
    expect((await memory.search('note 4711')).hits[0]?.metadata).toEqual({ n: 4_711 });
    const logs = (await memory.stats())?.logs;
    expect(logs?.at(-1)).toMatch(/memory is read back: 10000 entries/);
  }, 180_000);
});

function record(n: number) {
  return {
    v: 1,
    namespace: 'default',
    text: `note ${String(n)} of tea, coffee and ${String(n % 97)} other things`,
    importance: 0.5,
    metadata: { n },
    createdAt: n,
    updatedAt: n,
  };
}
