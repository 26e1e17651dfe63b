import { describe, expect, it } from 'vitest';

import { LOOK_MS_MAX, WaitPolicy } from '../../src/transport/wait-policy.ts';

/** What a wait takes each way (ms), in a world that may change. */
interface World {
  looking: () => number;
  asleep: () => number;
  /** What the thread does between two waits (ms). */
  between?: number;
}

function setUp() {
  let now = 1_000;
  const policy = new WaitPolicy();
  return {
    policy,
    /** The share of the waits of this time that were spent looking. */
    live(world: World, ms: number): number {
      let [looks, waits] = [0, 0];
      for (const end = now + ms; now < end; waits++) {
        const looked = policy.begin(now);
        const waitedMs = looked ? world.looking() : world.asleep();
        now += waitedMs;
        if (looked && waitedMs > policy.patienceMs) policy.missed(now);
        policy.end(waitedMs, now, looked && waitedMs <= policy.patienceMs);
        now += world.between ?? 0;
        if (looked) looks++;
      }
      return looks / waits;
    },
  };
}

const always = (ms: number) => () => ms;
const QUIET: World = { looking: always(0.005), asleep: always(0.07) };
const CONTENDED: World = { looking: always(0.4), asleep: always(0.02) };

/** Now and then the core is taken away while it looks. */
function interrupted(every: number, ms: number): () => number {
  let waits = 0;
  return () => (++waits % every === 0 ? ms : 0.005);
}

describe('who waits', () => {
  it('looks where that is faster, nearly always', () => {
    const { live } = setUp();
    live(QUIET, 200);
    expect(live(QUIET, 2_000)).toBeGreaterThan(0.99);
  });

  it('sleeps where looking keeps the other side from its core', () => {
    const { live } = setUp();
    live(CONTENDED, 200);
    expect(live(CONTENDED, 2_000)).toBeLessThan(0.01);
  });

  it('sleeps where both take equally long: looking costs processor time', () => {
    const { live } = setUp();
    const slow = { looking: always(0.3), asleep: always(0.35) };
    live(slow, 500);
    expect(live(slow, 5_000)).toBeLessThan(0.05);
    const idle = { looking: always(100), asleep: always(100) };
    live(idle, 10_000);
    expect(live(idle, 60_000)).toBeLessThan(0.15);
  });

  it('looks on where it is interrupted seldom, and sleeps where often', () => {
    const seldom = setUp();
    const often = setUp();
    const calm = { ...QUIET, looking: interrupted(2_000, 4) };
    const hectic = { ...QUIET, looking: interrupted(5, 4) };
    seldom.live(calm, 500);
    often.live(hectic, 500);
    expect(seldom.live(calm, 3_000)).toBeGreaterThan(0.8);
    expect(often.live(hectic, 3_000)).toBeLessThan(0.15);
  });

  it('follows a change either way within a second', () => {
    const { live } = setUp();
    live(QUIET, 5_000);
    live(CONTENDED, 1_000);
    expect(live(CONTENDED, 500)).toBeLessThan(0.05);
    live(QUIET, 1_000);
    expect(live(QUIET, 500)).toBeGreaterThan(0.9);
  });

  it('looks for a few times what it usually takes, and never for long', () => {
    const { policy, live } = setUp();
    expect(policy.patienceMs).toBe(LOOK_MS_MAX);
    live(QUIET, 40);
    expect(policy.patienceMs).toBeGreaterThan(0.005);
    expect(policy.patienceMs).toBeLessThan(0.05);
    live({ looking: always(0.9), asleep: always(5) }, 40);
    expect(policy.patienceMs).toBe(LOOK_MS_MAX);
  });
});
