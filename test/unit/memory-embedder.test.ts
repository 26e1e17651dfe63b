import { describe, expect, it } from 'vitest';

import { Embedder, type EmbedTexts } from '../../plugins/memory/embedder.ts';

/** Makes vectors of lengths and sums; `refuse` texts that it is told to. */
function scene({
  batch = 4,
  dimensions,
  refuse = () => undefined,
}: {
  batch?: number;
  dimensions?: number;
  refuse?: (texts: string[]) => unknown;
} = {}) {
  const batches: string[][] = [];
  const source: EmbedTexts = async (texts) => {
    batches.push(texts);
    await refuse(texts);
    return texts.map((text) => [text.length, 1]);
  };
  const embedder = new Embedder(source, { batch, dimensions });
  const outcomes = async (texts: string[]): Promise<unknown[]> => {
    const settled = await Promise.allSettled(texts.map((text) => embedder.embed(text)));
    return settled.map((each) =>
      each.status === 'fulfilled'
        ? Array.from(each.value)
        : (each.reason as { code: unknown }).code,
    );
  };
  return { embedder, batches, outcomes };
}

describe('the embedder', () => {
  it('sends together what is asked for together, in batches', async () => {
    const { batches, outcomes, embedder } = scene();
    const texts = ['a', 'bb', 'ccc', 'dddd', 'eeeee'];
    expect(await outcomes(texts)).toEqual(texts.map(({ length }) => [length, 1]));
    expect(batches).toEqual([['a', 'bb', 'ccc', 'dddd'], ['eeeee']]);
    expect(embedder.counts).toEqual({ texts: 5, calls: 2, failures: 0 });
    expect(embedder.dimensions).toBe(2);
  });

  it('takes what is urgent before what waits', async () => {
    const { embedder, batches } = scene({ batch: 1 });
    const all = ['a', 'b'].map((text) => embedder.embed(text));
    all.push(embedder.embed('now', { isUrgent: true }));
    await Promise.all(all);
    expect(batches[0]).toEqual(['now']);
  });

  it('has one bad text pay alone', async () => {
    const { outcomes, embedder } = scene({
      refuse: (texts) => {
        if (texts.includes('bad')) throw new Error('no vector for this');
      },
    });
    const failed = 'MEMORY_EMBEDDER_FAILED';
    expect(await outcomes(['a', 'bb', 'bad', 'd'])).toEqual([[1, 1], [2, 1], failed, [1, 1]]);
    expect(embedder.counts).toEqual({ texts: 3, calls: 5, failures: 3 });
  });

  it('gives up on a source that fails for all, after three calls', async () => {
    const { outcomes, batches } = scene({
      batch: 64,
      refuse: () => {
        throw new Error('down');
      },
    });
    const texts = Array.from({ length: 64 }, (_, at) => String(at));
    expect(await outcomes(texts)).toEqual(texts.map(() => 'MEMORY_EMBEDDER_FAILED'));
    expect(batches.length).toBe(3);
  });

  it('tries a source that does not answer once', async () => {
    const { outcomes, batches } = scene({
      refuse: () => {
        throw Object.assign(new Error('late'), { code: 'CALL_TIMEOUT' });
      },
    });
    await outcomes(['a', 'b']);
    expect(batches.length).toBe(1);
  });

  it.each<[string, unknown]>([
    ['no list', { 0: [1, 1] }],
    ['too few', []],
    ['too many', [[1], [1]]],
    ['no vector', ['text']],
    ['an empty vector', [[]]],
    ['what is no number', [[1, 'x']]],
    ['what is not finite', [[1, Infinity]]],
    ['nothing', undefined],
  ])('refuses %s', async (_, answer) => {
    const embedder = new Embedder(() => Promise.resolve(answer), {
      batch: 4,
      dimensions: undefined,
    });
    await expect(embedder.embed('a')).rejects.toMatchObject({ code: 'MEMORY_VECTOR_INVALID' });
  });

  it('refuses vectors of another length than it is told, or than came before', async () => {
    const told = scene({ dimensions: 3 });
    expect(await told.outcomes(['a'])).toEqual(['MEMORY_VECTOR_INVALID']);
    let length = 2;
    const embedder = new Embedder(
      (texts) => Promise.resolve(texts.map(() => Array.from({ length }, () => 1))),
      {
        batch: 4,
        dimensions: undefined,
      },
    );
    await embedder.embed('a');
    length = 4;
    await expect(embedder.embed('b')).rejects.toMatchObject({
      code: 'MEMORY_VECTOR_INVALID',
      message: expect.stringContaining('a vector of 4 numbers, the others have 2') as string,
    });
  });
});
