import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Deadlines, type Timed } from '../../src/supervisor/deadlines.ts';

/** Knows when it was told, and whether it was told once. */
class Waiter implements Timed {
  timer: Timed['timer'];
  readonly firedAt: number[] = [];
  onFired: (() => void) | undefined;

  onDeadline(): void {
    this.firedAt.push(performance.now());
    this.onFired?.();
  }
}

let start = 0;

beforeEach(() => {
  vi.useFakeTimers();
  start = performance.now();
});
afterEach(() => {
  vi.useRealTimers();
});

function add(deadlines: Deadlines, timeoutMs: number): Waiter {
  const waiter = new Waiter();
  deadlines.add(waiter, timeoutMs, performance.now());
  return waiter;
}

const firedAfter = ({ firedAt }: Waiter): number[] => firedAt.map((at) => at - start);

describe('a deadline', () => {
  it('is told when its time is up, not before, and once', () => {
    const deadlines = new Deadlines();
    const waiter = add(deadlines, 100);
    vi.advanceTimersByTime(99);
    expect(waiter.firedAt).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect(firedAfter(waiter)).toEqual([100]);
    expect(waiter.timer).toBeUndefined();
  });

  it('is not told once it is removed, however often that is', () => {
    const deadlines = new Deadlines();
    const waiter = add(deadlines, 100);
    deadlines.remove(waiter);
    deadlines.remove(waiter);
    vi.advanceTimersByTime(1_000);
    expect(waiter.firedAt).toEqual([]);
  });

  it('counts from when it was added, also where others of its kind came before', () => {
    const deadlines = new Deadlines();
    const early = add(deadlines, 100);
    vi.advanceTimersByTime(60);
    const late = add(deadlines, 100);
    vi.advanceTimersByTime(1_000);
    expect([firedAfter(early), firedAfter(late)]).toEqual([[100], [160]]);
  });

  it('is told on time where the one before it was removed', () => {
    const deadlines = new Deadlines();
    const early = add(deadlines, 100);
    vi.advanceTimersByTime(60);
    const late = add(deadlines, 100);
    deadlines.remove(early);
    vi.advanceTimersByTime(1_000);
    expect(firedAfter(late)).toEqual([160]);
  });

  it('may be added again after it was told, and from within', () => {
    const deadlines = new Deadlines();
    const waiter = add(deadlines, 100);
    waiter.onFired = () => {
      if (waiter.firedAt.length < 3) deadlines.add(waiter, 100, performance.now());
    };
    vi.advanceTimersByTime(1_000);
    expect(firedAfter(waiter)).toEqual([100, 200, 300]);
  });

  it('may remove another that is due at the same time', () => {
    const deadlines = new Deadlines();
    const [first, second, third] = [add(deadlines, 100), add(deadlines, 100), add(deadlines, 100)];
    first.onFired = () => {
      deadlines.remove(second);
    };
    vi.advanceTimersByTime(1_000);
    expect([first, second, third].map(firedAfter)).toEqual([[100], [], [100]]);
  });
});

describe('thousands of deadlines', () => {
  it('share one timer for each timeout', () => {
    const deadlines = new Deadlines();
    for (let i = 0; i < 5_000; i++) add(deadlines, [50, 100, 200][i % 3] ?? 0);
    expect(vi.getTimerCount()).toBe(3);
  });

  it('are told in order of their time, and of their coming', () => {
    const deadlines = new Deadlines();
    const told: string[] = [];
    for (let i = 0; i < 300; i++) {
      for (const timeoutMs of [200, 100, 150]) {
        const waiter = add(deadlines, timeoutMs);
        waiter.onFired = () => told.push(`${String(timeoutMs)}/${String(i).padStart(3, '0')}`);
      }
    }
    vi.advanceTimersByTime(1_000);
    expect(told).toHaveLength(900);
    expect(told).toEqual(told.toSorted());
  });

  it('are each told on time or not at all, through any history', () => {
    const act = fc.oneof(
      fc.record({ add: fc.constantFrom(1, 7, 10, 50, 51) }),
      fc.record({ remove: fc.nat() }),
      fc.record({ wait: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
        const deadlines = new Deadlines();
        const expected = new Map<Waiter, number>();
        const waiters: Waiter[] = [];
        for (const each of acts) {
          if ('add' in each) {
            const waiter = add(deadlines, each.add);
            waiters.push(waiter);
            expected.set(waiter, performance.now() + each.add);
          } else if ('wait' in each) vi.advanceTimersByTime(each.wait);
          else {
            const waiter = waiters[each.remove % (waiters.length || 1)];
            if (!waiter || waiter.firedAt.length > 0) continue;
            deadlines.remove(waiter);
            expected.delete(waiter);
          }
        }
        vi.advanceTimersByTime(1_000);
        for (const waiter of waiters) {
          const due = expected.get(waiter);
          expect(waiter.firedAt).toEqual(due === undefined ? [] : [due]);
        }
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('no timer', () => {
  it('is left when the last deadline is over', () => {
    const deadlines = new Deadlines();
    const waiters = Array.from({ length: 100 }, (_, i) => add(deadlines, 10 + (i % 5)));
    for (const waiter of waiters.slice(0, 90)) deadlines.remove(waiter);
    vi.advanceTimersByTime(100);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps the process alive for a deadline that was removed', () => {
    const handles: NodeJS.Timeout[] = [];
    const real = setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, ms: number) => {
      const handle = real(work, ms);
      handles.push(handle);
      return handle;
    }) as typeof setTimeout);
    const deadlines = new Deadlines();
    deadlines.remove(add(deadlines, 60_000));
    expect(handles.map((handle) => handle.hasRef())).toEqual([false]);
    add(deadlines, 60_000);
    expect(handles.some((handle) => handle.hasRef())).toBe(true);
    vi.restoreAllMocks();
  });

  it('is kept for each of many timeouts that nobody has any more', () => {
    const deadlines = new Deadlines();
    for (let i = 0; i < 10_000; i++) deadlines.remove(add(deadlines, 1_000 + i));
    expect(vi.getTimerCount()).toBeLessThan(100);
    const waiter = add(deadlines, 500);
    vi.advanceTimersByTime(20_000);
    expect(firedAfter(waiter)).toEqual([500]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('fires after everything was cleared', () => {
    const deadlines = new Deadlines();
    const waiters = [add(deadlines, 10), add(deadlines, 20)];
    deadlines.clear();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(100);
    expect(waiters.map(firedAfter)).toEqual([[], []]);
  });
});

describe('a timeout longer than timers can count', () => {
  it('neither fires early nor spins', () => {
    const deadlines = new Deadlines();
    const waiter = add(deadlines, 2 ** 31 + 1_000);
    const armed = vi.spyOn(globalThis, 'setTimeout');
    vi.advanceTimersByTime(10_000);
    expect(waiter.firedAt).toEqual([]);
    expect(armed.mock.calls.length).toBeLessThan(10);
    armed.mockRestore();
  });
});
