/** A plugin that takes more memory than it may is ended before V8 ends the process. FAILURES 6 to 9. */
import { describe, expect, it } from 'vitest';

import { nextEvent } from '../support/events.ts';
import { createManager, EAGER_RESTART, run, runAssistant } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { failureOf } from '../support/outcomes.ts';
import { runProgram } from '../support/program.ts';

const MEMORY_MB = 48;

/**
 * A call of the neighbour's that takes longer stalled (ms): it waited for the other, or main did. On a
 * slow machine main and its thread may each stand still for seconds with nobody to blame.
 */
const STALL_MS = 5_000;

interface Containment {
  error: { code: string; reason: string };
  events: { type: string; heapUsedBytes: number; externalBytes: number; limitBytes: number }[];
  generation: number;
  stats: { restarts: number; calls: Record<string, number> };
  neighbour: { calls: number; failed: number; slowestMs: number };
}

describe('a plugin that grows above its memory limit', () => {
  it.each(['array', 'map', 'set', 'keys', 'strings', 'spread', 'once', 'buffers', 'wasm'])(
    'by %s is ended, and the process lives',
    async (shape) => {
      const { exitCode, stdout, stderr } = await runProgram('hoarding-program.mjs', shape);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      const told = JSON.parse(stdout) as Containment;
      expect(told.error).toEqual({ code: 'PLUGIN_CRASHED', reason: 'memory-limit' });
      expect(told.events).toHaveLength(1);
      const [event] = told.events;
      const heldBytes = (event?.heapUsedBytes ?? 0) + (event?.externalBytes ?? 0);
      expect(event?.limitBytes).toBe(MEMORY_MB * 2 ** 20);
      expect(heldBytes).toBeGreaterThanOrEqual(MEMORY_MB * 2 ** 20);
      expect(told.generation).toBe(2);
      expect(told.stats).toMatchObject({
        restarts: 1,
        calls: { crashed: 1, inFlight: 0, queued: 0 },
      });
      expect(told.neighbour).toMatchObject({ failed: 0 });
      expect(told.neighbour.slowestMs).toBeLessThan(STALL_MS);
      expect(told.neighbour.calls).toBeGreaterThan(0);
    },
  );
});

describe('a plugin below its memory limit', () => {
  it('keeps its thread, however much garbage it makes', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await run(manager, 'hoarder.mjs', { limits: { memoryMb: MEMORY_MB } });
    expect(await plugin.execute({ shape: 'garbage', ms: 1_500 })).toBe(100_000);
    expect(await plugin.execute({ shape: 'generation' })).toBe(1);
    await neighbour.isUnharmed();
  });
});

describe('a crash by the memory limit', () => {
  it('is told, keeps the calls that had not begun, and counts as a crash for the policy', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, {
      limits: { memoryMb: MEMORY_MB },
      restart: { ...EAGER_RESTART, intensity: 1 },
    });
    const over = nextEvent(manager, 'memory-limit');
    const begun = plugin.execute({ do: 'hoard' });
    const waiting = plugin.execute({ do: 'generation' });
    expect(await failureOf(begun)).toMatchObject({
      code: 'PLUGIN_CRASHED',
      data: { reason: 'memory-limit', generation: 1 },
    });
    expect(await over).toMatchObject({ id: 'assistant', generation: 1 });
    expect(await waiting).toBe(2);
    const gaveUp = nextEvent(manager, 'gave-up');
    await failureOf(plugin.execute({ do: 'hoard' }));
    expect(await gaveUp).toMatchObject({ why: 'too-often' });
    expect(plugin.state).toBe('failed');
  });
});
