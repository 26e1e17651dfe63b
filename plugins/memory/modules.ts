/** What the user gives as code: modules with a function as their default export. */
import type { PluginContext } from 'troupe/plugin';

import type { EmbedTexts } from './embedder.ts';
import { isPlainObject } from './json.ts';
import { MemoryError } from './memory-error.ts';
import type { EmbedderSetting } from './settings.ts';
import { estimateTokens, type CountTokens } from './window.ts';

export async function embedSource(
  ctx: PluginContext,
  setting: EmbedderSetting,
  timeoutMs: number,
): Promise<EmbedTexts> {
  if ('module' in setting) {
    const embed = await functionOf(ctx.modules['embedder'] ?? setting.module, 'embedder');
    return (texts) => within(timeoutMs, Promise.resolve(embed(texts)));
  }
  const { plugin } = setting;
  return async (texts) => {
    const options = { timeoutMs, idempotent: true };
    const answer: unknown = await ctx.call(plugin, { op: 'embed', texts }, options);
    if (isPlainObject(answer)) return answer['vectors'];
    throw new MemoryError(
      'MEMORY_VECTOR_INVALID',
      `the embedder ${plugin} must answer with { vectors }`,
    );
  };
}

export async function tokenCounter(module: string | undefined): Promise<CountTokens> {
  if (module === undefined) return estimateTokens;
  const count = await functionOf(module, 'tokenizer');
  return async (text) => (await count(text)) as number;
}

async function functionOf(module: string, option: string): Promise<(input: unknown) => unknown> {
  const { default: found } = (await import(module)) as { default?: unknown };
  if (typeof found === 'function') return found as (input: unknown) => unknown;
  throw new TypeError(`option ${option}: the module's default export must be a function`);
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const problem = `the embedder module did not answer within ${String(timeoutMs)} ms`;
      reject(new MemoryError('MEMORY_EMBEDDER_FAILED', problem));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
