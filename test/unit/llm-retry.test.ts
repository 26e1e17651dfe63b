import { describe, expect, it } from 'vitest';

import { LlmError } from '../../plugins/llm/llm-error.ts';
import { retryAfterMs, retryDelayMs } from '../../plugins/llm/retry.ts';

const POLICY = { max: 4, minMs: 100, maxMs: 500, retryAfterMsMax: 2_000 };

function failure(retryAfter?: number, isRetryable = true): LlmError {
  return new LlmError('LLM_RATE_LIMITED', 'no', { isRetryable, retryAfterMs: retryAfter });
}

describe('a retry', () => {
  it('waits twice as long each time, up to a bound, and then no more', () => {
    const delays = [0, 1, 2, 3, 4].map((retried) => retryDelayMs(failure(), retried, POLICY, 0));
    expect(delays).toEqual([100, 200, 400, 500, undefined]);
  });

  it('waits up to a half less, by chance', () => {
    expect(retryDelayMs(failure(), 1, POLICY, 1)).toBe(100);
    expect(retryDelayMs(failure(), 1, POLICY, 0.5)).toBe(150);
  });

  it('waits as long as the server asks for, within a bound', () => {
    expect(retryDelayMs(failure(1_500), 0, POLICY, 0)).toBe(1_500);
    expect(retryDelayMs(failure(10), 0, POLICY, 0)).toBe(100);
    expect(retryDelayMs(failure(2_001), 0, POLICY, 0)).toBeUndefined();
  });

  it('is not made where it cannot help', () => {
    expect(retryDelayMs(failure(undefined, false), 0, POLICY, 0)).toBeUndefined();
    expect(retryDelayMs(failure(), 0, { ...POLICY, max: 0 }, 0)).toBeUndefined();
  });
});

describe('the wait that a server asks for', () => {
  it.each([
    [{ 'retry-after-ms': '1500' }, 1_500],
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:03 GMT' }, 2_000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-5' }, undefined],
    [{}, undefined],
  ])('is read from %j', (headers, expected) => {
    expect(retryAfterMs(headers as Record<string, string>, 1_000)).toBe(expected);
  });
});
