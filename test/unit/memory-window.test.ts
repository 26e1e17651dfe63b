import { describe, expect, it } from 'vitest';

import type { MemoryEntry } from '../../plugins/memory/types.ts';
import { estimateTokens, windowOf } from '../../plugins/memory/window.ts';

const ONE_A_CHARACTER = { count: (text: string) => text.length, perMessage: 0 };

describe('a window', () => {
  const newestFirst = ['eeeee', 'dddd', 'ccc', 'bb', 'a'].map(message);

  it.each([
    [0, [], 0, 5],
    [4, [], 0, 5],
    [5, ['eeeee'], 5, 4],
    [11, ['dddd', 'eeeee'], 9, 3],
    [15, ['a', 'bb', 'ccc', 'dddd', 'eeeee'], 15, 0],
  ])(
    'of %i tokens has the newest that fit, oldest first',
    async (budget, texts, tokens, omitted) => {
      const window = await windowOf(newestFirst, budget, ONE_A_CHARACTER);
      expect({ ...window, messages: window.messages.map(({ text }) => text) }).toEqual({
        messages: texts,
        tokens,
        omitted,
      });
    },
  );

  it('has no gap: a short message behind one that does not fit is left out', async () => {
    const { messages } = await windowOf(['a', 'long one', 'b'].map(message), 3, ONE_A_CHARACTER);
    expect(messages.map(({ text }) => text)).toEqual(['a']);
  });

  it('reckons what the format of a chat needs for each message', async () => {
    const window = await windowOf(newestFirst, 17, { ...ONE_A_CHARACTER, perMessage: 4 });
    expect(window).toMatchObject({ tokens: 17, omitted: 3 });
  });

  it('counts with a function that takes its time, and names one that gives no number', async () => {
    expect(await windowOf(newestFirst, 5, { count: countLater, perMessage: 0 })).toMatchObject({
      tokens: 5,
    });
    for (const wrong of [() => NaN, () => -1, () => 'one' as unknown as number]) {
      await expect(windowOf(newestFirst, 5, { count: wrong, perMessage: 0 })).rejects.toMatchObject(
        { code: 'MEMORY_TOKENIZER_FAILED' },
      );
    }
  });

  it('has an estimate: four bytes are a token', () => {
    expect(['', 'a', 'four', 'fives', 'тест', '記憶'].map(estimateTokens)).toEqual([
      0, 1, 1, 2, 2, 2,
    ]);
  });
});

function message(text: string): MemoryEntry {
  return {
    id: text,
    namespace: 'default',
    text,
    importance: 0.5,
    metadata: {},
    createdAt: 0,
    updatedAt: 0,
  };
}

function countLater(text: string): Promise<number> {
  return Promise.resolve(text.length);
}
