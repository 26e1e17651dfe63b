/** A memory with the bundled plugins beside it: a storage on disk, a language model that embeds. */
import { open } from 'lmdb';
import { storagePlugin } from 'troupe/plugins';
import { describe, expect, test } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { runLlm, startMock } from '../support/llm.ts';
import { createManager, EAGER_RESTART } from '../support/manager.ts';
import { runMemory, textsOf, VECTORS, type Memory } from '../support/memory-plugin.ts';
import { lmdbOptions } from '../support/storage.ts';

const STORED = { storage: 'disk' };

async function missing(memory: Memory, acknowledged: readonly string[]): Promise<string[]> {
  const found = await Promise.all(acknowledged.map((id) => memory.get(id)));
  return acknowledged.filter((_, at) => !found[at]);
}

describe('a memory whose storage is on disk', () => {
  test('loses nothing that it acknowledged, though it crashes and the storage is restarted', async () => {
    const manager = createManager();
    const disk = await manager.register(
      storagePlugin('disk', { ...(await lmdbOptions()), restart: EAGER_RESTART }),
    );
    const memory = await runMemory(manager, { ...STORED, embedder: VECTORS });
    const acknowledged: string[] = [];
    const add = async (text: string): Promise<void> => {
      acknowledged.push((await memory.add(text)).id);
    };
    for (let round = 1; round <= 5; round++) {
      const before = acknowledged.length;
      const adds = Array.from({ length: 40 }, (_, n) => add(`note ${String(round)} ${String(n)}`));
      await Promise.race(adds);
      const ends = [memory.add('#exit'), disk.restart()].map((end) => end.catch(() => undefined));
      await Promise.allSettled([...adds, ...ends]);
      await eventually(() => memory.state === 'running' && disk.state === 'running');
      expect(acknowledged.length).toBeGreaterThan(before);
    }
    expect((await memory.stats())?.crashes).toBe(5);
    expect(await missing(memory, acknowledged)).toEqual([]);

    await memory.restart();
    expect(await missing(memory, acknowledged)).toEqual([]);
    expect(await memory.count()).toBe(await disk.count({ namespace: 'memory:memory' }));
  }, 180_000);

  test('comes up with all that can be read, where a value on disk is damaged', async () => {
    const options = await lmdbOptions();
    const before = createManager();
    await before.register(storagePlugin('disk', options));
    const first = await runMemory(before, STORED);
    for (const text of ['tea', 'coffee', 'cocoa']) await first.add(text);
    await before.close();
    const root = open({ path: String(options.path), noSubdir: false });
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
    const entries = root.openDB<Buffer, Buffer>({ name: 'entries', ...binary });
    const damaged = Array.from(entries.getKeys()).find((key) => key.includes('memory:memory'));
    await entries.put(damaged ?? Buffer.alloc(1), Buffer.from('no value at all'));
    await root.close();

    const manager = createManager();
    await manager.register(storagePlugin('disk', options));
    const memory = await runMemory(manager, STORED);
    expect((await memory.recent()).map(({ text }) => text)).toEqual(['cocoa', 'coffee']);
    expect((await memory.stats())?.plugin).toMatchObject({ entries: 2, unreadable: 1 });
  });

  test('has the vectors of a language model again after a restart, without asking for them', async () => {
    const manager = createManager();
    const mock = await startMock();
    mock.onEmbedding(/green|drink/, { embedding: [1, 0, 0] });
    mock.onEmbedding(/engine/, { embedding: [0, 1, 0] });
    await manager.register(storagePlugin('disk', await lmdbOptions()));
    const llm = await runLlm(mock, { embeddingModel: 'embed-test' }, manager);
    const memory = await runMemory(manager, { ...STORED, embedder: llm.id });
    for (const text of ['green tea', 'a steam engine']) await memory.add(text);
    const asked = mock.getRequests().length;
    await memory.restart();
    expect(mock.getRequests()).toHaveLength(asked);
    const found = await memory.search('something to drink', { mode: 'vector', threshold: 0.9 });
    expect(textsOf(found)).toEqual(['green tea']);
    expect((await llm.stats())?.plugin).toMatchObject({
      totalTokens: expect.any(Number) as number,
    });
  });
});
