import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Deadlines, type Timed } from '../../src/supervisor/deadlines.ts';
import { fc } from '../support/properties.ts';

/** Knows when it was told, and whether it was told once. */
class Waiter implements Timed {
  slot: Timed['slot'];
  dueAt = 0;
  previous: Timed | undefined;
  next: Timed | undefined;
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
  vi.unstubAllGlobals();
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
    expect(waiter.slot).toBeUndefined();
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
  it('share one timer, whatever their timeouts', () => {
    const deadlines = new Deadlines();
    for (let i = 0; i < 5_000; i++) add(deadlines, 5_000 - i);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('that are over before they are due cost a timer now and then', () => {
    const deadlines = new Deadlines();
    const armed = vi.spyOn(globalThis, 'setTimeout');
    for (let i = 0; i < 5_000; i++) {
      deadlines.remove(add(deadlines, 4_000 + (i % 1_000)));
      if (i % 10 === 0) vi.advanceTimersByTime(10);
    }
    expect(armed.mock.calls.length).toBeLessThanOrEqual(5);
    armed.mockRestore();
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

/** Makes the thread busy: the clock is further then, and timers fire when the fake one is there. */
function stallable(): (ms: number) => void {
  const { performance } = globalThis;
  let until = 0;
  const now = (): number => Math.max(performance.now(), until);
  vi.stubGlobal('performance', { now });
  return (ms) => {
    until = now() + ms;
  };
}

describe('deadlines of any length', () => {
  const length = fc.oneof(
    fc.integer({ min: 1, max: 200 }),
    fc.integer({ min: 1, max: 2_000 }).map((eighths) => eighths / 8),
    fc.integer({ min: 1, max: 100_000 }),
    fc.integer({ min: 1, max: 2 ** 33 }),
  );
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.record({ add: length, thenAdd: fc.option(length) }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ wait: fc.oneof(fc.nat(200), fc.nat(200_000)) }) },
    { weight: 1, arbitrary: fc.record({ stall: fc.nat(10_000).map((eighths) => eighths / 8) }) },
  );

  it('are told once, never early, and late by a 64th and 2 ms, or are removed', () => {
    const stall = stallable();
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const deadlines = new Deadlines();
        const model = new Map<Waiter, { earliest: number; latest: number }>();
        const enter = (timeoutMs: number, thenAdd: number | null): void => {
          const earliest = performance.now() + timeoutMs;
          const waiter = add(deadlines, timeoutMs);
          model.set(waiter, { earliest, latest: earliest + timeoutMs / 64 + 2 });
          if (thenAdd === null) return;
          waiter.onFired = () => {
            enter(thenAdd, null);
          };
        };
        for (const each of acts) {
          const open = [...model.keys()].filter((waiter) => waiter.firedAt.length === 0);
          if ('add' in each) enter(each.add, each.thenAdd);
          else if ('wait' in each) vi.advanceTimersByTime(each.wait);
          else if ('stall' in each) {
            stall(each.stall);
            for (const waiter of open) {
              const bounds = model.get(waiter);
              if (bounds) bounds.latest = Math.max(bounds.latest, performance.now());
            }
          } else {
            const waiter = open[each.remove % (open.length || 1)];
            if (!waiter) continue;
            deadlines.remove(waiter);
            model.delete(waiter);
            waiter.onFired = () => {
              throw new Error('told after it was removed');
            };
          }
          expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
        }
        vi.advanceTimersByTime(2 ** 35);
        for (const [{ firedAt }, { earliest, latest }] of model) {
          expect(firedAt).toHaveLength(1);
          expect(firedAt[0]).toBeGreaterThanOrEqual(earliest);
          expect(firedAt[0]).toBeLessThanOrEqual(latest);
        }
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('are not mixed up when one is still there a round of the wheel later', () => {
    const stall = stallable();
    const deadlines = new Deadlines();
    const overdue = add(deadlines, 100);
    stall(150);
    const next = add(deadlines, 100 + 128 - 150);
    vi.advanceTimersByTime(1_000);
    expect([firedAfter(overdue), firedAfter(next)]).toEqual([[150], [228]]);
  });

  it('are told in the order they are due when the thread was busy past all of them', () => {
    const stall = stallable();
    const deadlines = new Deadlines();
    const told: number[] = [];
    for (const timeoutMs of [30_000, 20, 5_000, 900, 100, 12_000]) {
      add(deadlines, timeoutMs).onFired = () => told.push(timeoutMs);
    }
    stall(60_000);
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([20, 100, 900, 5_000, 12_000, 30_000]);
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

  it('is lost by clearing for those that come after', () => {
    const deadlines = new Deadlines();
    const waiters = [add(deadlines, 10), add(deadlines, 5_000)];
    deadlines.clear();
    for (const waiter of waiters) deadlines.remove(waiter);
    const waiter = add(deadlines, 50);
    vi.advanceTimersByTime(10_000);
    expect(firedAfter(waiter)).toEqual([50]);
  });
});

describe('a timeout longer than timers can count', () => {
  it('is told all the same', () => {
    const deadlines = new Deadlines();
    const waiter = add(deadlines, 2 ** 31 + 1_000);
    vi.advanceTimersByTime(2 ** 31 + 999);
    expect(waiter.firedAt).toEqual([]);
    vi.advanceTimersByTime(2 ** 31 / 64 + 1);
    expect(waiter.firedAt).toHaveLength(1);
  });

  it('is told in four years if it is longer than that', () => {
    const deadlines = new Deadlines();
    const waiters = [add(deadlines, Infinity), add(deadlines, 2 ** 60)];
    vi.advanceTimersByTime(2 ** 37 - 1);
    expect(waiters.map(({ firedAt }) => firedAt)).toEqual([[], []]);
    vi.advanceTimersByTime(2 ** 37 / 64);
    expect(waiters.map(({ firedAt }) => firedAt.length)).toEqual([1, 1]);
  });

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
