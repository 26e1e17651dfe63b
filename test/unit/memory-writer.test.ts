import { describe, expect, it } from 'vitest';

import type { Item } from '../../plugins/memory/item.ts';
import { drop, entriesOf, idsOf, item, put, writing } from '../support/memory.ts';

const REFUSAL = Object.assign(new Error('the disk is full'), { code: 'CALL_FAILED' });
const SILENCE = Object.assign(new Error('no answer'), { code: 'CALL_TIMEOUT' });

describe('the writer', () => {
  it('commits together what waits together, and shows nothing before it is durable', async () => {
    const { entries, keeper, add } = writing();
    keeper.before = () => {
      expect(entries.size).toBe(0);
    };
    await Promise.all([add(item('a')), add(item('b')), add(item('c'))]);
    expect(keeper.commits).toEqual([['+a', '+b', '+c']]);
    expect(idsOf(entries)).toEqual(['a', 'b', 'c']);
  });

  it('lets each change see those before it, committed or not', async () => {
    const { entries, keeper, writer, add } = writing();
    const seen: boolean[] = [];
    const look = (): Promise<unknown> =>
      writer.write((view) => {
        seen.push(view.get('default', 'a') !== undefined);
        return { changes: [], result: undefined };
      });
    const remove = writer.write(() => ({ changes: [drop(item('a'))], result: undefined }));
    await Promise.all([look(), add(item('a')), look(), remove, look()]);
    await Promise.all([
      add(item('a')),
      writer.write(() => ({ changes: [drop(item('a'))], result: 1 })),
      look(),
    ]);
    expect(seen).toEqual([false, true, true, false]);
    expect([idsOf(entries), [...keeper.stored.keys()]]).toEqual([[], []]);
  });

  it('refuses what its plan refuses, and nothing else', async () => {
    const { entries, writer, add } = writing();
    const refused = writer.write(() => {
      throw new RangeError('not this one');
    });
    const outcomes = await Promise.allSettled([add(item('a')), refused, add(item('b'))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(idsOf(entries)).toEqual(['a', 'b']);
  });

  it('has the one that the storage refuses pay alone', async () => {
    const { entries, keeper, add, writer } = writing();
    keeper.before = (changes) => {
      if (changes.includes('+bad')) throw REFUSAL;
    };
    const outcomes = await Promise.allSettled(['a', 'bad', 'b'].map((id) => add(item(id))));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((outcomes[1] as PromiseRejectedResult).reason).toMatchObject({
      code: 'MEMORY_STORAGE_FAILED',
      message: 'the storage did not take it: the disk is full',
      cause: REFUSAL,
    });
    expect([idsOf(entries), [...keeper.stored.keys()]]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(writer.trouble).toBeUndefined();
  });

  it('tries nothing twice where the storage does not answer', async () => {
    const { entries, keeper, add, writer } = writing();
    keeper.before = () => {
      throw SILENCE;
    };
    const outcomes = await Promise.allSettled(['a', 'b'].map((id) => add(item(id))));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([keeper.commits.length, entries.size, writer.trouble]).toEqual([1, 0, 'no answer']);
  });

  it('puts right in the storage what it may have done without saying so', async () => {
    const { entries, keeper, add, writer } = writing();
    await add(item('kept'));
    keeper.losesAnswers = true;
    keeper.before = () => {
      throw SILENCE;
    };
    const remove = writer.write(() => ({ changes: [drop(item('kept'))], result: undefined }));
    await Promise.allSettled([remove, add(item('half'))]);
    expect([...keeper.stored.keys()]).toEqual(['half']);
    keeper.losesAnswers = false;
    keeper.before = () => undefined;
    await writer.mend();
    expect([...keeper.stored.keys()]).toEqual(['kept']);
    expect(idsOf(entries)).toEqual(['kept']);
  });

  it('sends what is much in parts', async () => {
    const { keeper, writer, entries } = writing();
    const items = Array.from({ length: 600 }, (_, at) => item(`i${String(at)}`));
    await writer.write(() => ({ changes: items.map(put), result: undefined }), { isAlone: true });
    expect(keeper.commits.map(({ length }) => length)).toEqual([256, 256, 88]);
    expect(entries.size).toBe(600);
  });

  it('answers each of many once, whatever the size of their texts', async () => {
    const { keeper, add, entries } = writing();
    await Promise.all(Array.from({ length: 9 }, (_, at) => add(large(`i${String(at)}`))));
    expect(keeper.commits.flat().toSorted()).toEqual(
      Array.from({ length: 9 }, (_, at) => `+i${String(at)}`),
    );
    expect(keeper.commits.every(({ length }) => length <= 2)).toBe(true);
    expect(entries.size).toBe(9);
  });

  it('is idle when everything that was asked for is done', async () => {
    const { writer, add, entries } = writing();
    await writer.idle();
    void add(item('a'));
    await writer.idle();
    expect(entries.size).toBe(1);
  });
});

describe('eviction', () => {
  it('takes what is least important for its age, in the storage as well', async () => {
    const { entries, keeper, tally, add } = writing({ maxEntries: 3 });
    await add(item('old', { importance: 0.5, updatedAt: 1_000 }));
    await add(item('weighty', { importance: 1, updatedAt: 1_000 }));
    await add(item('light', { importance: 0.1, updatedAt: 4_000 }));
    await add(item('new', { updatedAt: 5_000 }));
    expect(idsOf(entries)).toEqual(['light', 'new', 'weighty']);
    await add(item('newer', { updatedAt: 6_000 }), item('newest', { updatedAt: 7_000 }));
    expect(idsOf(entries)).toEqual(['new', 'newer', 'newest']);
    expect([...keeper.stored.keys()].toSorted()).toEqual(idsOf(entries));
    expect(tally.evicted).toBe(3);
  });

  it('spares what has just come, however little it is worth, as long as there is something else', async () => {
    const { entries, add } = writing({ maxEntries: 2 });
    await add(item('a', { importance: 1 }), item('b', { importance: 0.9 }));
    await add(item('nothing', { importance: 0 }));
    expect(idsOf(entries)).toEqual(['a', 'nothing']);
    await add(...['c', 'd', 'e'].map((id) => item(id)));
    expect(idsOf(entries)).toEqual(['d', 'e']);
  });

  it('keeps a namespace in its own bounds, and the others out of it', async () => {
    const { entries, add } = writing({ maxEntries: 5, maxEntriesPerNamespace: 2 });
    await add(item('quiet', { importance: 0.01, namespace: 'other' }));
    for (const id of ['a', 'b', 'c', 'd']) await add(item(id, { updatedAt: id.charCodeAt(0) }));
    expect(idsOf(entries)).toEqual(['c', 'd', 'quiet']);
    expect(entries.sizes()).toEqual(
      new Map([
        ['other', 1],
        ['default', 2],
      ]),
    );
  });

  it('is made up for later where the storage fails in it', async () => {
    const { entries, keeper, writer, add } = writing({ maxEntries: 1 });
    await add(item('a'));
    keeper.before = (changes) => {
      if (changes.some((change) => change.startsWith('-'))) throw SILENCE;
    };
    await add(item('b', { updatedAt: 1 }));
    expect([entries.size, writer.trouble]).toEqual([2, 'no answer']);
    keeper.before = () => undefined;
    await add(item('c', { updatedAt: 2 }));
    expect([idsOf(entries), [...keeper.stored.keys()]]).toEqual([['c'], ['c']]);
  });

  it('goes by what entries are now, not by what they were', () => {
    const entries = entriesOf({ maxEntries: 2 });
    entries.apply([put(item('a', { importance: 0.1 })), put(item('b')), put(item('c'))]);
    for (let n = 1; n < 500; n++) entries.apply([put(item('a', { importance: n / 500 }))]);
    entries.apply([put(item('a', { importance: 1 })), drop(item('b')), put(item('b'))]);
    const surplus = entries.surplus(new Set(), new Set()).map(({ entry }) => entry.id);
    expect(surplus).toEqual(['b']);
  });
});

function large(id: string): Item {
  const { entry, ...rest } = item(id);
  return { ...rest, entry: { ...entry, text: 'x'.repeat(500_000) } };
}
