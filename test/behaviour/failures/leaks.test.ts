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

/** A life that stays reachable has more than ten. */
const LIFE_OBJECTS_MAX = 0.5;

/** A life that stays reachable costs more: its link, its board, its carrier. */
const LIFE_BYTES_MAX = 12 * 1024;

describe.each(ISOLATIONS)('in a %s', (isolation) => {
  const lives = LIVES[isolation];

  it(`row 34: of ${String(lives)} lives nothing is left`, async () => {
    const program = await runProgram('restarting-program.mjs', isolation, String(lives));
    const { middle, end } = JSON.parse(program.stdout) as { middle: Held; end: Held };
    const { descriptors, listeners, handles } = middle;
    expect(end).toMatchObject({ descriptors, listeners, handles });
    expect((end.objects - middle.objects) / (lives / 2)).toBeLessThan(LIFE_OBJECTS_MAX);
    expect((end.heapBytes - middle.heapBytes) / (lives / 2)).toBeLessThan(LIFE_BYTES_MAX);
  });
});
