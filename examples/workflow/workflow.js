// @ts-check
/// <reference types="troupe/script" />
/**
 * A workflow as a script: it has no I/O of its own, and orchestrates plugins that do. It can be
 * changed without touching any of them.
 */

/** @param {number} attempts @param {() => Promise<unknown>} work */
async function retried(attempts, work) {
  for (let attempt = 1; ; attempt++) {
    try {
      return { attempt, result: await work() };
    } catch (error) {
      if (attempt === attempts)
        throw new Error(`given up after ${attempts} attempts`, { cause: error });
      ctx.log.warn('trying again', { attempt });
    }
  }
}

/** @param {string} text */
async function* summaryOf(text) {
  yield 'Summary: ';
  // passed through as it comes: the workflow is never more than a window ahead of its reader
  yield* ctx.stream('words', text);
}

export default definePlugin((ctx) => {
  let served = 0;
  return {
    /** @param {{ order: string, texts: string[] }} input */
    async execute({ order, texts }, call) {
      served++;
      if (order === 'summarise') return summaryOf(texts.join(' '));
      // in parallel: all that is slow is waited for at once
      const lengths = await Promise.all(texts.map((text) => ctx.call('measure', text)));
      call.progress(0.5, 'measured');
      const total = lengths.reduce((sum, length) => Number(sum) + Number(length), 0);
      // a condition: only what is long is worth the expensive way
      const way = Number(total) > ctx.config.longFrom ? 'flaky' : 'measure';
      const { attempt, result } = await retried(3, () => ctx.call(way, texts.join('')));
      return { total, way, attempt, result };
    },
    stats: () => ({ served }),
  };
});
