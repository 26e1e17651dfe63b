/** Whether and when a request is tried again. Pure: chance is an argument. */
import type { LlmError } from './llm-error.ts';
import type { RetryOptions } from './types.ts';

/** Less a random share up to that: many who failed together do not come back together. */
const JITTER = 0.5;

/**
 * How long to wait before the next try, or `undefined` for giving up.
 *
 * @param retried how often it was tried again already
 * @param random from 0 to 1
 */
export function retryDelayMs(
  failure: LlmError,
  retried: number,
  policy: RetryOptions,
  random: number,
): number | undefined {
  if (!failure.isRetryable || retried >= policy.max) return undefined;
  const grown = Math.min(policy.maxMs, policy.minMs * 2 ** retried);
  const backoffMs = Math.round(grown * (1 - JITTER * random));
  const { retryAfterMs } = failure;
  if (retryAfterMs === undefined) return backoffMs;
  if (retryAfterMs > policy.retryAfterMsMax) return undefined;
  return Math.max(retryAfterMs, backoffMs);
}

/**
 * How long a server asks to be left alone, by its headers: `retry-after-ms`, or `retry-after` in
 * seconds or as a date.
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  now: number,
): number | undefined {
  const exact = Number.parseFloat(headers['retry-after-ms'] ?? '');
  if (exact >= 0) return exact;
  const said = headers['retry-after']?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(said)) return Number(said) * 1000;
  // engines read much as a date; HTTP has one form
  const until = said.endsWith(' GMT') ? Date.parse(said) : Number.NaN;
  return Number.isNaN(until) ? undefined : Math.max(0, until - now);
}
