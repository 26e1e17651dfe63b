/** What many lives leave behind: nothing. FAILURES 34. */
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { BroadcastChannel } from 'node:worker_threads';

import { describe, expect, it } from 'vitest';

import { eventually } from '../../support/eventually.ts';
import { ISOLATIONS } from '../../support/failure-scene.ts';
import { createManager, run } from '../../support/manager.ts';
import { failureOf } from '../../support/outcomes.ts';
import { runProgram } from '../../support/program.ts';
import { soon } from '../../support/soon.ts';

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

describe('a thread that is ended while it imports', () => {
  it('row 34: leaves no file open, and is not set up', async () => {
    const manager = createManager();
    const channel = new BroadcastChannel('troupe-test-importing');
    const imports = (): Promise<unknown> => soon(once(channel, 'message'));
    const plugin = await run(manager, 'importer.mjs', { isolation: 'thread' });
    for (let life = 0; life < 4; life++) {
      const crashed = plugin.execute('exit');
      await Promise.all([imports(), failureOf(crashed)]);
      await plugin.unload();
      expect(plugin.state).toBe('unloaded');
      await plugin.load();
      await plugin.init();
      await plugin.start();
    }
    channel.close();
    expect(await manager.context.state.get('set up')).toBe(5);
    await eventually(() => {
      expect(openFixtures()).toEqual([]);
    });
  });
});

/** None where the system does not say. */
function openFixtures(): string[] {
  const folder = '/proc/self/fd';
  try {
    return readdirSync(folder).flatMap((name) => {
      const file = linkOf(`${folder}/${name}`);
      return file.includes('/test/fixtures/') ? file : [];
    });
  } catch {
    return [];
  }
}

/** The descriptor of the folder itself is gone by now. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
