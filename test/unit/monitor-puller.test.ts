/** When the monitor asks for stats. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Puller } from '../../plugins/monitor/puller.ts';
import { turns } from '../support/turns.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function pulling() {
  const asked: ((outcome?: Error) => void)[] = [];
  const told: string[] = [];
  const puller = new Puller({
    intervalMs: 1_000,
    now: Date.now,
    pull: () =>
      new Promise((resolve, reject) => {
        asked.push((error) => {
          if (error) reject(error);
          else resolve(new Map());
        });
      }),
    pulled: () => told.push('pulled'),
    look: () => told.push('look'),
    failed: (error) => told.push(String(error)),
  });
  const answer = async (error?: Error): Promise<void> => {
    asked.at(-1)?.(error);
    await turns();
  };
  return { puller, asked, told, answer };
}

describe('a puller', () => {
  it('asks at once and then each interval, and looks at the rules after each answer', async () => {
    const { puller, asked, told, answer } = pulling();
    puller.start();
    puller.start();
    expect(asked).toHaveLength(1);
    await answer();
    vi.advanceTimersByTime(1_000);
    expect(asked).toHaveLength(2);
    await answer();
    expect(told).toEqual(['pulled', 'look', 'pulled', 'look']);
  });

  it('never asks twice at a time, and looks at the rules meanwhile', async () => {
    const { puller, asked, told, answer } = pulling();
    puller.start();
    vi.advanceTimersByTime(3_000);
    expect([asked.length, told, puller.counts.skipped]).toEqual([1, ['look', 'look', 'look'], 3]);
    await answer();
    vi.advanceTimersByTime(1_000);
    expect(asked).toHaveLength(2);
  });

  it('goes on after a failure, which it tells once', async () => {
    const { puller, told, answer } = pulling();
    puller.start();
    for (const error of ['a', 'b']) {
      await answer(new Error(error));
      vi.advanceTimersByTime(1_000);
    }
    await answer();
    expect(told).toEqual(['Error: a', 'look', 'look', 'pulled', 'look']);
    expect(puller.counts).toMatchObject({ done: 1, failed: 2 });
  });

  it('that is stopped asks no more, and takes no answer', async () => {
    const { puller, asked, told, answer } = pulling();
    puller.start();
    puller.stop();
    await answer();
    vi.advanceTimersByTime(5_000);
    expect([asked.length, told]).toEqual([1, []]);
    puller.start();
    expect(asked).toHaveLength(2);
  });

  it('is not healthy where nothing came for ten seconds, unless it is stopped', async () => {
    const { puller, answer } = pulling();
    puller.start();
    vi.advanceTimersByTime(10_000);
    expect(puller.health()).toEqual({ healthy: true, lastPullMsAgo: 10_000 });
    vi.advanceTimersByTime(1);
    expect(puller.health().healthy).toBe(false);
    await answer();
    expect(puller.health()).toEqual({ healthy: true, lastPullMsAgo: 0 });
    puller.stop();
    vi.advanceTimersByTime(60_000);
    expect(puller.health().healthy).toBe(true);
  });
});
