/** What many lives leave behind: nothing. FAILURES 34. */
import { describe, expect, it } from 'vitest';

import { ISOLATIONS } from '../../support/failure-scene.ts';
import { runProgram } from '../../support/program.ts';

interface Held {
  descriptors: number;
  listeners: number;
  handles: number;
  /** Event emitters and targets, maps, sets and promises. */
  objects: number;
  heapBytes: number;
}

/** All of them; half are compared with the other half. A process costs more time than a thread. */
const LIVES = { thread: 32, process: 24 };

/** Of each kind and life. What is not let go is one at least, and ten objects; a timer may come or go. */
const LEFT_MAX = 0.5;

/** A life that stays reachable costs more: its link, its board, its carrier. */
const LIFE_BYTES_MAX = 12 * 1024;

describe.each(ISOLATIONS)('in a %s', (isolation) => {
  const lives = LIVES[isolation];

  it(`row 34: of ${String(lives)} lives nothing is left`, async () => {
    const program = await runProgram('restarting-program.mjs', isolation, String(lives));
    const { middle, end } = JSON.parse(program.stdout) as { middle: Held; end: Held };
    for (const key of ['descriptors', 'listeners', 'handles', 'objects'] as const) {
      const left = (end[key] - middle[key]) / (lives / 2);
      expect({ key, left, isLess: left < LEFT_MAX }).toEqual({ key, left, isLess: true });
    }
    expect((end.heapBytes - middle.heapBytes) / (lives / 2)).toBeLessThan(LIFE_BYTES_MAX);
  });
});
