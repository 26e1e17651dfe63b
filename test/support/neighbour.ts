/** A healthy plugin that is called all the while something else goes wrong. */
import type { PluginManager } from 'troupe';
import { expect } from 'vitest';

import { run } from './manager.ts';

export interface Neighbour {
  /** Stops calling, and fails the test where a call failed or came back wrong. */
  isUnharmed(): Promise<void>;
}

/** Calls an echo one call after the other until it is asked how it went. */
export async function startNeighbour(manager: PluginManager): Promise<Neighbour> {
  const echo = await run<number, number>(manager, 'echo.mjs', { id: 'neighbour' });
  const stopped = new AbortController();
  const calls = (async () => {
    let made = 0;
    for (; !stopped.signal.aborted; made++) expect(await echo.execute(made)).toBe(made);
    return made;
  })();
  calls.catch(() => undefined);
  return {
    async isUnharmed() {
      stopped.abort();
      expect(await calls).toBeGreaterThan(0);
      expect(await manager.stats('neighbour')).toMatchObject({
        restarts: 0,
        calls: { failed: 0, crashed: 0, timedOut: 0, aborted: 0 },
      });
    },
  };
}
