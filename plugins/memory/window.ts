/** Which messages of a conversation fit a budget of tokens. */
import { MemoryError } from './memory-error.ts';
import type { MemoryEntry, MemoryWindow } from './types.ts';

export type CountTokens = (text: string) => number | Promise<number>;

/**
 * One token for each four bytes of UTF-8, rounded up: close for English, and on the safe side for
 * most else. For exact counts give the plugin a `tokenizer`.
 */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/**
 * The newest messages that fit, without a gap: the first that does not fit ends it. Each costs its
 * tokens and `perMessage`, for what the format of a chat puts around it.
 */
export async function windowOf(
  newestFirst: readonly MemoryEntry[],
  budget: number,
  { count, perMessage }: { count: CountTokens; perMessage: number },
): Promise<MemoryWindow> {
  const messages: MemoryEntry[] = [];
  let tokens = 0;
  for (const message of newestFirst) {
    const cost = (await tokensOf(message.text, count)) + perMessage;
    if (tokens + cost > budget) break;
    tokens += cost;
    messages.push(message);
  }
  return {
    messages: messages.toReversed(),
    tokens,
    omitted: newestFirst.length - messages.length,
  };
}

async function tokensOf(text: string, count: CountTokens): Promise<number> {
  let tokens: unknown;
  try {
    tokens = await count(text);
  } catch (error) {
    throw new MemoryError('MEMORY_TOKENIZER_FAILED', 'the tokenizer module threw', {
      cause: error,
    });
  }
  if (typeof tokens === 'number' && tokens >= 0 && Number.isFinite(tokens)) return tokens;
  const what = `the tokenizer module must give a number of tokens, not ${String(tokens)}`;
  throw new MemoryError('MEMORY_TOKENIZER_FAILED', what);
}
