import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { MEMORY_LOOK_MS_MAX, MEMORY_LOOK_MS_MIN } from '../../src/protocol/limits.ts';
import {
  hardLimitMb,
  mayHaveReached,
  nextLookMs,
  restingMarkBytes,
  restMs,
  type MemoryReading,
} from '../../src/supervisor/memory-rules.ts';
import { MemoryWatch } from '../../src/supervisor/memory-watch.ts';

const MIB = 1024 * 1024;

describe('the rules of memory', () => {
  it.each([
    [16, 272],
    [64, 320],
    [100, 400],
    [512, 2_048],
  ])('give a soft limit of %i MiB a hard one of %i', (soft, hard) => {
    expect(hardLimitMb(soft)).toBe(hard);
  });

  it('look again when a thread that works can have reached its limit', () => {
    expect(mayHaveReached(10 * MIB, 53, 64 * MIB)).toBe(false);
    expect(mayHaveReached(10 * MIB, 54, 64 * MIB)).toBe(true);
    expect(mayHaveReached(63 * MIB, 0, 64 * MIB)).toBe(false);
  });

  it('look seldom at one that is far from its limit, and often at one that is close', () => {
    expect(nextLookMs(10 * MIB, 5, 1_000 * MIB)).toBe(MEMORY_LOOK_MS_MAX);
    expect(nextLookMs(20 * MIB, 4, 64 * MIB)).toBe(40);
    expect(nextLookMs(63 * MIB, 10, 64 * MIB)).toBe(MEMORY_LOOK_MS_MIN);
  });

  it('leave a thread with much room more garbage, and for longer, but bounded', () => {
    expect(restingMarkBytes(40 * MIB, 64 * MIB)).toBe(120 * MIB);
    expect(restingMarkBytes(63 * MIB, 64 * MIB)).toBe(97 * MIB);
    expect([restMs(10), restMs(1_000)]).toEqual([100, 2_000]);
  });
});

function watched() {
  const held = { used: 10, live: 10 as number | undefined, idleMs: 0, standsStill: false };
  const read = vi.fn(() => Promise.resolve(readingOf(held.used)));
  const readLive = vi.fn(() =>
    Promise.resolve(held.live === undefined ? undefined : readingOf(held.live)),
  );
  const close = vi.fn();
  const over = vi.fn();
  const watch = new MemoryWatch({
    memoryMb: 64,
    probe: { read, readLive, close },
    idleMs: () => held.idleMs,
    standsStill: () => held.standsStill,
    over,
  });
  return { held, read, readLive, close, over, watch };
}

function readingOf(mib: number): MemoryReading {
  return { heapUsedBytes: mib * MIB, externalBytes: 0 };
}

describe('a memory watch', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('ends a thread whose memory is over the limit with its garbage collected', async () => {
    const { held, over, close } = watched();
    await vi.advanceTimersByTimeAsync(200);
    expect(over).not.toHaveBeenCalled();
    held.used = held.live = 70;
    await vi.advanceTimersByTimeAsync(200);
    expect(over.mock.calls).toEqual([[readingOf(70), 64 * MIB]]);
    expect(close).toHaveBeenCalledOnce();
  });

  it('spares one that holds garbage, and does not collect it again at once', async () => {
    const { held, over, readLive } = watched();
    held.used = 70;
    await vi.advanceTimersByTimeAsync(100);
    expect(over).not.toHaveBeenCalled();
    expect(readLive.mock.calls.length).toBeGreaterThan(0);
  });

  it('judges one that does not answer by what was seen, unless young garbage explains it', async () => {
    const { held, over } = watched();
    held.live = undefined;
    held.used = 80;
    await vi.advanceTimersByTimeAsync(500);
    expect(over).not.toHaveBeenCalled();
    held.used = 100;
    await vi.advanceTimersByTimeAsync(500);
    expect(over).toHaveBeenCalledOnce();
  });

  it('does not judge one that stands still through no fault of its own', async () => {
    const { held, over } = watched();
    held.live = undefined;
    held.used = 100;
    held.standsStill = true;
    await vi.advanceTimersByTimeAsync(500);
    expect(over).not.toHaveBeenCalled();
    held.standsStill = false;
    await vi.advanceTimersByTimeAsync(500);
    expect(over).toHaveBeenCalledOnce();
  });

  it('asks nothing of a thread that sleeps', async () => {
    const { held, read } = watched();
    await vi.advanceTimersByTimeAsync(10);
    const asked = read.mock.calls.length;
    const start = performance.now();
    const sleeping = setInterval(() => {
      held.idleMs = performance.now() - start;
    }, 1);
    await vi.advanceTimersByTimeAsync(10_000);
    clearInterval(sleeping);
    expect(read.mock.calls.length - asked).toBeLessThanOrEqual(1);
  });

  it('looks no more once it is stopped', async () => {
    const { held, watch, over, close } = watched();
    watch.stop();
    watch.stop();
    held.used = held.live = 100;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(over).not.toHaveBeenCalled();
    expect(close).toHaveBeenCalledOnce();
  });
});
