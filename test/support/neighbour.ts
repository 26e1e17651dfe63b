/** A healthy plugin that is called all the while something else goes wrong. */
import type { PluginManager } from 'troupe';
import { expect } from 'vitest';

import { eventually } from './eventually.ts';
import { run, type SpecOptions } from './manager.ts';

export interface Neighbour {
  /** Settles once it has answered often enough to be compared with. */
  isUnderWay(): Promise<void>;
  /** Stops calling, and fails the test where a call failed or came back wrong. */
  isUnharmed(): Promise<void>;
  /** Fails the test where a call stood still since it was under way. */
  wasNotSlow(): Promise<void>;
}

const BREATH_MS = 2;
const UNDER_WAY_CALLS = 10;

/**
 * A call that takes longer stood still (ms): the main thread was blocked, or somebody waited for
 * what does not end. On a slow machine main and its thread may each do so for seconds with nobody to
 * blame.
 */
const STALL_MS = 5_000;
/** Or, on a machine that was slow before anything went wrong, so many times what was slowest then. */
const STALL_FACTOR = 5;

function breath(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, BREATH_MS);
  });
}

/** Calls an echo one call after the other until it is asked how it went. */
export async function startNeighbour(
  manager: PluginManager,
  options: SpecOptions = {},
): Promise<Neighbour> {
  const echo = await run<number, number>(manager, 'echo.mjs', { ...options, id: 'neighbour' });
  const stopped = new AbortController();
  let answered = 0;
  let slowestMs = 0;
  let slowestBeforeMs = 0;
  const calls = (async () => {
    for (; !stopped.signal.aborted; answered++) {
      const start = performance.now();
      expect(await echo.execute(answered)).toBe(answered);
      slowestMs = Math.max(slowestMs, performance.now() - start);
      // room for those that the test is about
      await breath();
    }
  })();
  calls.catch(() => undefined);
  return {
    async isUnderWay() {
      await eventually(() => answered >= UNDER_WAY_CALLS);
      slowestBeforeMs = slowestMs;
      slowestMs = 0;
    },
    async isUnharmed() {
      stopped.abort();
      await calls;
      expect(answered).toBeGreaterThan(0);
      expect(await manager.stats('neighbour')).toMatchObject({
        restarts: 0,
        calls: { failed: 0, crashed: 0, timedOut: 0, aborted: 0 },
      });
    },
    async wasNotSlow() {
      stopped.abort();
      await calls;
      expect(slowestMs).toBeLessThan(Math.max(STALL_MS, STALL_FACTOR * slowestBeforeMs));
    },
  };
}
