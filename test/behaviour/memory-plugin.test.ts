import { PluginManager } from 'troupe';
import { memoryPlugin, type MemoryEntry, type MemorySearchResult } from 'troupe/plugins';
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { inline } from '../support/files.ts';
import { createManager } from '../support/manager.ts';
import { runMemory, textsOf, type Memory } from '../support/memory-plugin.ts';
import { causeOf, failureFrom, failureOf, troubleOf } from '../support/outcomes.ts';

describe('a memory without an embedder', () => {
  test('finds what it was told by several words, whatever their order and form', async () => {
    const memory = await runMemory(createManager());
    const { id } = await memory.add('Ada prefers green tea in the morning', {
      importance: 0.8,
      metadata: { about: 'Ada' },
    });
    await memory.add('The cat of Ada sleeps all day');
    await memory.add('A catalogue of engines');
    const found = await memory.search('tea preferred by ADA');
    expect(textsOf(found)).toEqual([
      'Ada prefers green tea in the morning',
      'The cat of Ada sleeps all day',
    ]);
    const [best] = found.hits;
    expect(found).toMatchObject({ mode: 'text', found: 2 });
    expect(best).toEqual({
      id,
      namespace: 'default',
      text: 'Ada prefers green tea in the morning',
      importance: 0.8,
      metadata: { about: 'Ada' },
      createdAt: expect.any(Number) as number,
      updatedAt: best?.createdAt,
      relevance: 1,
      score: expect.closeTo(0.7 + 0.2 * 0.8 + 0.1, 3) as number,
    });
    expect(textsOf(await memory.search('cat'))).toEqual(['The cat of Ada sleeps all day']);
  });

  test('ranks by importance and age where words weigh the same', async () => {
    const memory = await runMemory(createManager());
    await memory.add('tea one', { importance: 0.1 });
    await memory.add('tea two', { importance: 0.9 });
    await memory.add('tea three', { importance: 0.5 });
    expect(textsOf(await memory.search('tea'))).toEqual(['tea two', 'tea three', 'tea one']);
    const byAge = { weights: { relevance: 1, importance: 0, recency: 0 } };
    expect(textsOf(await memory.search('tea', byAge))).toEqual(['tea three', 'tea two', 'tea one']);
  });

  test('keeps to filter, conversation, limit and threshold', async () => {
    const memory = await runMemory(createManager());
    for (const n of [1, 2, 3, 4]) {
      const conversation = n % 2 === 0 ? 'even' : 'odd';
      await memory.add(`number ${'tea '.repeat(n === 4 ? 1 : 0)}`, {
        metadata: { n },
        conversation,
      });
    }
    const filter = { n: { gt: 1 } };
    expect((await memory.search('number', { filter })).found).toBe(3);
    expect((await memory.search('number', { filter, limit: 2 })).hits.length).toBe(2);
    expect((await memory.search('number', { filter, conversation: 'odd' })).found).toBe(1);
    expect((await memory.search('number tea', { threshold: 0.9 })).found).toBe(1);
    expect(await memory.count({ filter })).toBe(3);
    expect((await memory.recent({ filter, limit: 2 })).map(({ metadata }) => metadata)).toEqual([
      { n: 4 },
      { n: 3 },
    ]);
    expect(await memory.clear({ conversation: 'even' })).toBe(2);
    expect(await memory.count()).toBe(2);
  });

  test('gets, changes and forgets an entry', async () => {
    const memory = await runMemory(createManager());
    const { id } = await memory.add('tea', { metadata: { a: 1 }, role: 'user', ttlMs: 3_600_000 });
    const before = await memory.get(id);
    const after = await memory.update(id, { text: 'coffee', metadata: { b: 2 }, ttlMs: null });
    expect(after).toEqual({
      id,
      namespace: 'default',
      text: 'coffee',
      role: 'user',
      importance: 0.5,
      metadata: { b: 2 },
      createdAt: before?.createdAt,
      updatedAt: expect.any(Number) as number,
    });
    expect(await memory.get(id)).toEqual(after);
    expect((await memory.search('tea')).found).toBe(0);
    expect((await memory.search('coffee')).found).toBe(1);
    expect([await memory.delete(id), await memory.delete(id)]).toEqual([true, false]);
    expect(await memory.get(id)).toBeUndefined();
    expect(await troubleOf(memory.update(id, { text: 'x' }))).toMatchObject({
      code: 'MEMORY_ENTRY_NOT_FOUND',
    });
  });

  test('keeps namespaces apart', async () => {
    const memory = await runMemory(createManager());
    const { id } = await memory.add('tea of Ada', { namespace: 'ada' });
    await memory.add('tea of Eve', { namespace: 'eve' });
    expect(textsOf(await memory.search('tea', { namespace: 'ada' }))).toEqual(['tea of Ada']);
    expect((await memory.search('tea')).hits).toEqual([]);
    expect(await memory.get(id)).toBeUndefined();
    expect(await memory.delete(id, { namespace: 'eve' })).toBe(false);
    expect(await memory.get(id, { namespace: 'ada' })).toMatchObject({ text: 'tea of Ada' });
    expect([await memory.count(), await memory.count({ namespace: '*' })]).toEqual([0, 2]);
    expect(await memory.clear({ namespace: 'eve' })).toBe(1);
    expect(await memory.clear({ namespace: '*' })).toBe(1);
    expect(await memory.count({ namespace: '*' })).toBe(0);
  });

  test('gives the newest messages of a conversation that fit, by its tokenizer', async () => {
    const tokenizer = inline('export default (text) => text.split(" ").length;');
    const memory = await runMemory(createManager(), { tokenizer, messageTokens: 1 });
    for (const text of ['one two three', 'four five', 'six', 'seven eight']) {
      await memory.add(text, { conversation: 'talk', role: 'user' });
    }
    await memory.add('another', { conversation: 'other' });
    const window = await memory.window('talk', 8);
    expect(window.messages.map(({ text }) => text)).toEqual(['four five', 'six', 'seven eight']);
    expect(window).toMatchObject({ tokens: 8, omitted: 1 });
    expect(await memory.window('nobody', 8)).toEqual({ messages: [], tokens: 0, omitted: 0 });
  });

  test('forgets what is over its time, at once and for good', async () => {
    const memory = await runMemory(createManager(), { sweepMs: 5, ttlMs: 3_600_000 });
    const { id } = await memory.add('tea for a moment', { ttlMs: 1 });
    await memory.add('tea for an hour');
    await eventually(async () => (await memory.get(id)) === undefined);
    expect((await memory.search('tea')).found).toBe(1);
    await eventually(async () => {
      expect((await memory.stats())?.plugin).toMatchObject({ entries: 1, expired: 1 });
    });
    expect(await troubleOf(memory.update(id, { importance: 1 }))).toMatchObject({
      code: 'MEMORY_ENTRY_NOT_FOUND',
    });
  });

  test('does nothing by itself while it is paused, and goes on after that', async () => {
    const manager = createManager();
    const memory = await runMemory(manager, { sweepMs: 5 });
    await memory.add('tea for a while', { ttlMs: 300 });
    await memory.pause();
    const before = (await memory.stats())?.plugin;
    // another one sweeps as often, and what it had for longer goes meanwhile
    const beside = await manager.register(memoryPlugin('beside', { sweepMs: 5 }));
    await manager.up();
    await beside.add('more tea', { ttlMs: 400 });
    await eventually(async () => {
      expect((await beside.stats())?.plugin).toMatchObject({ expired: 1 });
    });
    expect((await memory.stats())?.plugin).toEqual(before);
    await memory.resume();
    await eventually(async () => {
      expect((await memory.stats())?.plugin).toMatchObject({ entries: 0, expired: 1 });
    });
  });

  test('takes the options of a call with each of its methods', async () => {
    const memory = await runMemory(createManager());
    const { id } = await memory.add('tea', { namespace: 'ada', timeoutMs: 30_000 });
    const call = { namespace: 'ada', timeoutMs: 30_000 };
    expect(await memory.get(id, call)).toMatchObject({ text: 'tea' });
    await memory.update(id, { namespace: 'ada', text: 'cup' }, { timeoutMs: 30_000 });
    expect(textsOf(await memory.search('cup', call))).toEqual(['cup']);
    expect(await memory.recent(call)).toHaveLength(1);
    expect(await memory.count(call)).toBe(1);
    expect((await memory.window('talk', 9, call)).messages).toEqual([]);
    const aborted = { namespace: 'ada', signal: AbortSignal.abort() };
    for (const refused of [
      memory.add('more', aborted),
      memory.update(id, { namespace: 'ada', text: 'x' }, aborted),
      memory.delete(id, aborted),
      memory.clear(aborted),
      memory.search('cup', aborted),
    ]) {
      expect((await failureOf(refused)).code).toBe('CALL_ABORTED');
    }
    expect(await memory.delete(id, call)).toBe(true);
    expect(await memory.clear(call)).toBe(0);
  });

  test('forgets what is worth least beyond its capacity, and says what it has', async () => {
    const memory = await runMemory(createManager(), { maxEntries: 3 });
    for (const importance of [0.9, 0.2, 0.8, 0.7, 0.1]) {
      await memory.add(`tea ${String(importance)}`, { importance });
    }
    expect(textsOf(await memory.search('tea'))).toEqual(['tea 0.9', 'tea 0.8', 'tea 0.1']);
    await memory.add('elsewhere', { namespace: 'other', importance: 1 });
    expect((await memory.stats())?.plugin).toEqual({
      entries: 3,
      namespaces: { default: 2, other: 1 },
      namespaceCount: 2,
      evicted: 3,
      expired: 0,
      unreadable: 0,
      searches: { text: 1, vector: 0, hybrid: 0 },
    });
    expect(await memory.health()).toMatchObject({ healthy: true });
  });

  test('carries what it has over a reload', async () => {
    const memory = await runMemory(createManager());
    const { id } = await memory.add('tea', { conversation: 'talk' });
    expect(await memory.reload()).toMatchObject({ ok: true, statePreserved: true });
    expect(await memory.get(id)).toMatchObject({ text: 'tea', conversation: 'talk' });
    expect((await memory.search('tea')).found).toBe(1);
    const later = await memory.add('coffee');
    expect(later.id > id).toBe(true);
  });

  test('works in a process of its own', async () => {
    const memory = await runMemory(createManager(), { isolation: 'process' });
    await memory.add('tea');
    expect((await memory.search('tea')).found).toBe(1);
  });
});

describe('a memory refuses by name', () => {
  const calls: [string, string, (memory: Memory) => Promise<unknown>][] = [
    ['a query that is none', 'MEMORY_INVALID_QUERY', (memory) => memory.search('')],
    ['a query without words', 'MEMORY_INVALID_QUERY', (memory) => memory.search('?!…')],
    [
      'a filter that is none',
      'MEMORY_INVALID_FILTER',
      (memory) => memory.search('tea', { filter: { a: { like: 1 } } }),
    ],
    [
      'a filter that is none, of a clear',
      'MEMORY_INVALID_FILTER',
      (memory) => memory.clear({ filter: 7 as never }),
    ],
    [
      'vectors without an embedder',
      'MEMORY_NO_EMBEDDER',
      (memory) => memory.search('tea', { mode: 'vector' }),
    ],
    [
      'both without an embedder',
      'MEMORY_NO_EMBEDDER',
      (memory) => memory.search('tea', { mode: 'hybrid' }),
    ],
    ['a text too long', 'MEMORY_ENTRY_TOO_LARGE', (memory) => memory.add('x'.repeat(32_769))],
    [
      'an op that there is not',
      'MEMORY_INVALID_INPUT',
      (memory) => memory.execute({ op: 'find' } as never),
    ],
    ['an input that is none', 'MEMORY_INVALID_INPUT', (memory) => memory.execute('tea' as never)],
  ];

  test.each(calls)('%s', async (_, code, call) => {
    const memory = await runMemory(createManager());
    await memory.add('tea');
    expect(await troubleOf(call(memory))).toMatchObject({ code });
    expect(await memory.count()).toBe(1);
  });

  test.each<[string, RegExp, unknown]>([
    [
      'an unknown option',
      /there is no option 'embeder' \(did you mean 'embedder'\?\)/,
      { embeder: 'llm' },
    ],
    [
      'an embedder that is none',
      /"embedder" must be the id of a plugin, or the URL/,
      { embedder: 7 },
    ],
    ['itself', /"storage" must be another plugin than itself/, { storage: 'memory' }],
    [
      'a capacity of nothing',
      /"maxEntries" must be a whole number, 1 to 1000000/,
      { maxEntries: 0 },
    ],
    ['a time that is none', /"halfLifeMs" must be a number, from 1/, { halfLifeMs: -1 }],
    [
      'weights of nothing',
      /"weights" must not all be 0/,
      {
        weights: { relevance: 0, importance: 0, recency: 0 },
      },
    ],
    [
      'weights by other names',
      /"hybridWeights" must be numbers from 0 by the names text, vector/,
      {
        hybridWeights: { words: 1 },
      },
    ],
    ['a tokenizer that is no URL', /"tokenizer" must be the URL object/, { tokenizer: './t.js' }],
    ['many threads', /"isolation" 'pool' is many threads/, { isolation: 'pool' }],
  ])('%s, as an option', async (_, message, options) => {
    const error = await failureFrom(() => memoryPlugin('memory', options as object));
    expect(error).toMatchObject({
      code: 'INVALID_SPEC',
      pluginId: 'memory',
      message: expect.stringMatching(message) as string,
    });
  });

  test('a module that gives no function', async () => {
    const manager = createManager();
    const tokenizer = inline('export default 7;');
    const memory = await manager.register(memoryPlugin('memory', { tokenizer }));
    const error = await failureOf(memory.load());
    expect(error.code).toBe('LOAD_FAILED');
    expect(causeOf(error).message).toMatch(/option tokenizer: the module's default export must be/);
  });
});

test('the handle of a memory knows what it gives', async () => {
  const manager = new PluginManager('types', { logs: 'silent' });
  onTestFinished(async () => void (await manager.close()));
  const memory = await manager.register(memoryPlugin('memory', { priority: 3 }));
  expect(manager.getByType('memory')).toEqual(['memory']);
  expect(manager.findByCapability('search')).toEqual(['memory']);
  expectTypeOf(memory.search).returns.resolves.toEqualTypeOf<MemorySearchResult>();
  await manager.up();
  const { id } = await memory.execute({ op: 'add', text: 'tea' });
  expectTypeOf(id).toEqualTypeOf<string>();
  const [entry] = await manager.plugin(memoryPlugin('memory')).execute({ op: 'recent' });
  expectTypeOf(entry).toEqualTypeOf<MemoryEntry | undefined>();
  expect(entry?.id).toBe(id);
});
