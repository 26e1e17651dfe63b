import { describe, expect, test } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { inline } from '../support/files.ts';
import { createManager } from '../support/manager.ts';
import {
  batchesOf,
  registerEmbedding,
  runMemory,
  textsOf,
  VECTORS,
} from '../support/memory-plugin.ts';
import { codesOf, failureOf, troubleOf } from '../support/outcomes.ts';

/** Two words that mean the same, and nothing else does. */
const SYNONYMS = inline(`
  const words = ['tea', 'infusion', 'car', 'automobile'];
  const meaning = (text) => words.map((word) => (text.includes(word) ? 1 : 0));
  export default (texts) =>
    texts.map(meaning).map(([tea, infusion, car, auto]) => [tea + infusion, car + auto, 0.1]);
`);

describe('a memory with a module as its embedder', () => {
  test('finds by meaning what has none of the words, and by both what has either', async () => {
    const memory = await runMemory(createManager(), { embedder: SYNONYMS });
    await memory.add('a cup of tea', { importance: 0.5 });
    await memory.add('an old automobile', { importance: 0.5 });
    await memory.add('the cup final', { importance: 0.5 });

    const byText = await memory.search('infusion', { mode: 'text' });
    expect(byText).toEqual({ hits: [], found: 0, mode: 'text' });
    const byVector = await memory.search('infusion', { mode: 'vector', threshold: 0.8 });
    expect([textsOf(byVector), byVector.mode]).toEqual([['a cup of tea'], 'vector']);
    expect(byVector.hits[0]?.relevance).toBeCloseTo(1, 6);

    const both = await memory.search('infusion cup');
    expect(both.mode).toBe('hybrid');
    expect(textsOf(both).slice(0, 2)).toEqual(['a cup of tea', 'the cup final']);
    expect(both.hits[0]?.relevance).toBeGreaterThan(0.9);
    expect((await memory.search('?!')).mode).toBe('hybrid');
    expect((await memory.stats())?.plugin).toMatchObject({
      withoutVector: 0,
      dimensions: 3,
      searches: { text: 1, vector: 1, hybrid: 2 },
    });
  });

  test('finds a changed text where it is now', async () => {
    const memory = await runMemory(createManager(), { embedder: SYNONYMS });
    const { id } = await memory.add('my car');
    await memory.update(id, { text: 'my tea' });
    await memory.update(id, { importance: 1 });
    const options = { mode: 'vector', threshold: 0.8 } as const;
    expect((await memory.search('automobile', options)).found).toBe(0);
    expect((await memory.search('infusion', options)).found).toBe(1);
  });

  test('stores nothing of what it could not embed', async () => {
    const memory = await runMemory(createManager(), { embedder: VECTORS });
    const { id } = await memory.add('tea');
    expect(await troubleOf(memory.add('coffee #fail'))).toMatchObject({
      code: 'MEMORY_EMBEDDER_FAILED',
    });
    expect(await troubleOf(memory.add('coffee #short'))).toMatchObject({
      code: 'MEMORY_VECTOR_INVALID',
    });
    expect(await troubleOf(memory.update(id, { text: 'tea #fail' }))).toMatchObject({
      code: 'MEMORY_EMBEDDER_FAILED',
    });
    expect(await memory.recent()).toEqual([expect.objectContaining({ id, text: 'tea' })]);
    expect((await memory.search('coffee', { mode: 'text' })).found).toBe(0);
    expect(await memory.health()).toMatchObject({ healthy: false });
    await memory.add('cocoa');
    expect(await memory.health()).toMatchObject({ healthy: true, detail: { embedder: 'ok' } });
  });

  test('has the one bad text of many pay alone', async () => {
    const memory = await runMemory(createManager(), { embedder: VECTORS });
    const texts = ['one', 'two', 'three #fail', 'four', 'five'];
    const codes = await codesOf(texts.map((text) => memory.add(text)));
    expect(codes).toEqual(['ok', 'ok', 'CALL_FAILED', 'ok', 'ok']);
    expect(await memory.count()).toBe(4);
  });

  test('carries vectors over a reload', async () => {
    const memory = await runMemory(createManager(), { embedder: VECTORS });
    await memory.add('tea');
    await memory.reload();
    expect((await memory.search('tea', { mode: 'vector' })).found).toBe(1);
    expect((await memory.stats())?.plugin).toMatchObject({
      withoutVector: 0,
      embedded: { texts: 1, calls: 1 },
    });
  });
});

describe('a memory with a plugin as its embedder', () => {
  test('starts after it, and asks for many texts at once', async () => {
    const manager = createManager();
    const embedding = await registerEmbedding(manager);
    const memory = await runMemory(manager, { embedder: 'embedding', embedBatch: 16 });
    await Promise.all(Array.from({ length: 64 }, (_, n) => memory.add(`note ${String(n)}`)));
    const batches = await batchesOf(embedding);
    expect(Math.max(...batches.map(Number))).toBeLessThanOrEqual(16);
    expect(batches.length).toBeLessThan(20);
    expect(await memory.count()).toBe(64);
    expect((await memory.search('note', { mode: 'vector' })).found).toBe(64);
  });

  test('without it is refused by name', async () => {
    const error = await runMemory(createManager(), { embedder: 'embedding' }).catch(
      (reason: unknown) => reason,
    );
    expect((error as AggregateError).errors).toEqual([
      expect.objectContaining({ code: 'DEPENDENCY_MISSING' }),
    ]);
  });

  test('searches by words where it fails, and says so; a vector search is refused', async () => {
    const manager = createManager();
    const embedding = await registerEmbedding(manager);
    const memory = await runMemory(manager, { embedder: 'embedding' });
    await memory.add('tea');
    await embedding.execute({ op: 'fail', message: 'the quota is used up' });
    expect(await memory.search('tea')).toMatchObject({
      hits: [expect.objectContaining({ text: 'tea' })],
      mode: 'text',
      fallback: expect.stringMatching(/the embedder failed: .*the quota is used up/) as string,
    });
    expect(await troubleOf(memory.search('tea', { mode: 'vector' }))).toMatchObject({
      code: 'MEMORY_EMBEDDER_FAILED',
    });
    expect(await troubleOf(memory.add('coffee'))).toMatchObject({ code: 'MEMORY_EMBEDDER_FAILED' });
    expect(await memory.health()).toMatchObject({ healthy: false });
  });

  test('waits for it as long as it is told to, and for nobody who gave up', async () => {
    const manager = createManager();
    await registerEmbedding(manager);
    const memory = await runMemory(manager, { embedder: 'embedding', embedTimeoutMs: 200 });
    expect(await troubleOf(memory.add('tea #wait'))).toMatchObject({
      code: 'MEMORY_EMBEDDER_FAILED',
    });
    const late = memory.execute({ op: 'add', text: 'tea #wait' }, { timeoutMs: 20 });
    expect((await failureOf(late)).code).toBe('CALL_TIMEOUT');
    await memory.add('coffee');
    expect((await memory.recent()).map(({ text }) => text)).toEqual(['coffee']);
    expect((await memory.stats())?.generation).toBe(1);
  });

  test('answers text searches while it keeps others waiting', async () => {
    const manager = createManager();
    await registerEmbedding(manager);
    const memory = await runMemory(manager, {
      embedder: 'embedding',
      embedTimeoutMs: 60_000,
      limits: { stopTimeoutMs: 200 },
    });
    await memory.add('tea');
    const waiting = memory.add('coffee #wait').catch(() => 'ended');
    await eventually(async () => (await memory.stats())?.calls.inFlight === 1);
    expect((await memory.search('tea', { mode: 'text' })).found).toBe(1);
    await memory.unload().catch(() => undefined);
    expect(await waiting).toBe('ended');
  });
});
