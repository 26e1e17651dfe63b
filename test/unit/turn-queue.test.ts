import { describe, expect, it } from 'vitest';

import { TurnQueue } from '../../src/supervisor/turn-queue.ts';

describe('a queue of turns', () => {
  it('has one run at a time, and one that waits for all that ask meanwhile', async () => {
    const ends: ((value: number) => void)[] = [];
    const queue = new TurnQueue(() => new Promise<number>((resolve) => ends.push(resolve)));
    const first = queue.ask();
    const second = queue.ask();
    expect(queue.ask()).toBe(second);
    expect(ends).toHaveLength(1);
    ends[0]?.(1);
    expect(await first).toBe(1);
    await queue.settled();
    await Promise.resolve();
    expect(ends).toHaveLength(2);
    ends[1]?.(2);
    expect(await second).toBe(2);
    expect(queue.isBusy).toBe(false);
  });

  it('goes on after a run that failed', async () => {
    let runs = 0;
    const queue = new TurnQueue(() => {
      runs++;
      return runs === 1 ? Promise.reject(new Error('the first')) : Promise.resolve(runs);
    });
    const first = queue.ask();
    const second = queue.ask();
    await expect(first).rejects.toThrow('the first');
    expect(await second).toBe(2);
  });
});
