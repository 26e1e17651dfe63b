import { describe, expect, it } from 'vitest';

import { DEFAULT_RESTART, type RestartOptions } from '../../src/protocol/limits.ts';
import {
  backoffMs,
  decideRestart,
  NO_RESTARTS,
  type End,
  type RestartDecision,
  type RestartHistory,
} from '../../src/supervisor/restart-policy.ts';
import { fc } from '../support/properties.ts';

const NO_JITTER = (): number => 0;
const FULL_JITTER = (): number => 1;
const BACKOFF = DEFAULT_RESTART.backoff;

/** A plugin with a clock of its own: crashes at the given times, each a decision. */
function crashesAt(times: readonly number[], options: Partial<RestartOptions> = {}): string[] {
  const restart = { ...DEFAULT_RESTART, ...options };
  let history: RestartHistory = NO_RESTARTS;
  return times.map((now) => {
    const decision = decideRestart(restart, history, 'abnormal', { now, random: NO_JITTER });
    if (decision.restart) history = decision.history;
    return inWords(decision);
  });
}

function inWords(decision: RestartDecision): string {
  return decision.restart ? `after ${String(decision.delayMs)}` : decision.why;
}

describe('whether a plugin is wanted back', () => {
  const matrix: [RestartOptions['type'], End, string][] = [
    ['permanent', 'normal', 'after 0'],
    ['permanent', 'shutdown', 'after 0'],
    ['permanent', 'abnormal', 'after 0'],
    ['transient', 'normal', 'not-wanted'],
    ['transient', 'shutdown', 'not-wanted'],
    ['transient', 'abnormal', 'after 0'],
    ['temporary', 'normal', 'not-wanted'],
    ['temporary', 'shutdown', 'not-wanted'],
    ['temporary', 'abnormal', 'not-wanted'],
  ];

  it.each(matrix)('a %s plugin after a %s end: %s', (type, end, expected) => {
    const options = { ...DEFAULT_RESTART, type };
    const decision = decideRestart(options, NO_RESTARTS, end, { now: 0, random: NO_JITTER });
    expect(inWords(decision)).toBe(expected);
  });
});

describe('the intensity', () => {
  it('allows that many restarts within the period, and no more', () => {
    expect(crashesAt([0, 10, 120, 330])).toEqual([
      'after 0',
      'after 100',
      'after 200',
      'too-often',
    ]);
  });

  it('of 0 allows none', () => {
    expect(crashesAt([0], { intensity: 0 })).toEqual(['too-often']);
  });

  it('counts in a window that slides: a restart leaves it when the period is over', () => {
    const options = {
      intensity: 2,
      periodMs: 1_000,
      backoff: { ...BACKOFF, minMs: 0, maxMs: 0 },
    };
    // at 1000 the restart of 0 has left; at 1001 those of 999 and 1000 fill it; at 1999 the first of them leaves
    expect(crashesAt([0, 999, 1_000, 1_001, 1_999], options)).toEqual([
      'after 0',
      'after 0',
      'after 0',
      'too-often',
      'after 0',
    ]);
  });

  it('counts a restart when it happens, not when it was decided', () => {
    const options = { intensity: 2, periodMs: 1_000, backoff: { ...BACKOFF, minMs: 600 } };
    // decided at 10, happens at 610: still in the window at 1600, gone at 1610
    expect(crashesAt([0, 10, 1_600], options)).toEqual(['after 0', 'after 600', 'after 1200']);
    expect(crashesAt([0, 10, 990], options)).toEqual(['after 0', 'after 600', 'too-often']);
  });
});

describe('the backoff', () => {
  it('is nothing, then the least, then grows by the factor to the most', () => {
    const curve = Array.from({ length: 12 }, (_, streak) => backoffMs(BACKOFF, streak, NO_JITTER));
    expect(curve).toEqual([
      0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000,
    ]);
  });

  it('grows by the factor it is given', () => {
    const slow = { minMs: 10, maxMs: 100, factor: 1.5, jitter: 0 };
    const curve = Array.from({ length: 8 }, (_, streak) => backoffMs(slow, streak, NO_JITTER));
    expect(curve).toEqual([0, 10, 15, 22.5, 33.75, 50.625, 75.9375, 100]);
    const flat = { minMs: 10, maxMs: 100, factor: 1, jitter: 0 };
    expect([1, 2, 50].map((streak) => backoffMs(flat, streak, NO_JITTER))).toEqual([10, 10, 10]);
  });

  it('loses at most the share that is jitter, and never gains', () => {
    expect(backoffMs(BACKOFF, 3, FULL_JITTER)).toBe(400 * 0.8);
    expect(backoffMs({ ...BACKOFF, jitter: 0 }, 3, FULL_JITTER)).toBe(400);
    expect(backoffMs({ ...BACKOFF, jitter: 1 }, 3, FULL_JITTER)).toBe(0);
  });

  it('is a number also where the streak is so long that the factor overflows', () => {
    expect(backoffMs(BACKOFF, 5_000, NO_JITTER)).toBe(30_000);
    expect(backoffMs({ ...BACKOFF, minMs: 0 }, 5_000, NO_JITTER)).toBe(0);
  });

  it('stays within its bounds, whatever the options', () => {
    const options = fc.record({
      minMs: fc.nat(100_000),
      maxMs: fc.nat(100_000),
      factor: fc.double({ min: 1, max: 1_000, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(options, fc.nat(100), random, (backoff, streak, share) => {
        const delayMs = backoffMs(backoff, streak, () => share);
        const full = backoffMs(backoff, streak, NO_JITTER);
        expect(delayMs).toBeGreaterThanOrEqual(full * (1 - backoff.jitter));
        expect(delayMs).toBeLessThanOrEqual(Math.min(full, backoff.maxMs));
      }),
    );
  });
});

describe('a stable period', () => {
  it('lets the backoff start from the beginning', () => {
    expect(crashesAt([0, 10, 5_110], { intensity: 100 })).toEqual([
      'after 0',
      'after 100',
      'after 0',
    ]);
  });

  it('is a whole one, counted from the last restart', () => {
    expect(crashesAt([0, 10, 5_109], { intensity: 100 })).toEqual([
      'after 0',
      'after 100',
      'after 200',
    ]);
  });

  it('is not the waiting itself: a backoff longer than the period does not decay', () => {
    const options = {
      intensity: 3,
      periodMs: 1_000,
      backoff: { minMs: 4_000, maxMs: 60_000, factor: 2, jitter: 0 },
    };
    expect(crashesAt([0, 10, 4_020, 12_030, 28_040], options)).toEqual([
      'after 0',
      'after 4000',
      'after 8000',
      'after 16000',
      'after 32000',
    ]);
  });
});

describe('a decision', () => {
  it('leaves the history it was given as it was', () => {
    const history: RestartHistory = Object.freeze({
      restarts: Object.freeze([1, 2]),
      streak: 2,
    });
    const env = { now: 3, random: NO_JITTER };
    expect(decideRestart(DEFAULT_RESTART, history, 'abnormal', env)).toEqual({
      restart: true,
      delayMs: 200,
      history: { restarts: [1, 2, 203], streak: 3 },
    });
    expect(history).toEqual({ restarts: [1, 2], streak: 2 });
  });

  it('never lets more restarts into any window than the intensity', () => {
    const gaps = fc.array(fc.nat(400), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        gaps,
        fc.nat(5),
        fc.integer({ min: 1, max: 1_000 }),
        (list, intensity, periodMs) => {
          const options = { ...DEFAULT_RESTART, intensity, periodMs };
          let history: RestartHistory = NO_RESTARTS;
          let now = 0;
          const restarts: number[] = [];
          for (const gap of list) {
            now += gap;
            const decision = decideRestart(options, history, 'abnormal', {
              now,
              random: Math.random,
            });
            if (!decision.restart) continue;
            history = decision.history;
            now += decision.delayMs;
            restarts.push(now);
          }
          for (const from of restarts) {
            const within = restarts.filter((at) => at >= from && at < from + periodMs);
            expect(within.length).toBeLessThanOrEqual(intensity);
          }
        },
      ),
    );
  });
});
