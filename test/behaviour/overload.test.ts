import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { PluginError } from 'troupe';
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventually } from '../support/eventually.ts';
import { createManager, runAssistant } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { failureOf, later } from '../support/outcomes.ts';
import { soon } from '../support/soon.ts';

const CALLS = 100_000;
const WINDOW = 1_024;
const KIB = 1_024;
const MIB = KIB * KIB;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Held by this process in reachable memory (bytes), and some buffers that are yet to be freed. */
function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Node counts buffers that were collected until it comes to free them. */
function holdsLessThan(bytes: number, since: number): Promise<void> {
  return eventually(() => {
    expect(heldBytes() - since).toBeLessThan(bytes);
  });
}

interface Flood {
  accepted: Promise<unknown>[];
  refused: PluginError[];
}

/** Calls without waiting for answers, a thousand in each turn of the event loop. */
async function flood(calls: number, call: () => Promise<unknown>): Promise<Flood> {
  const refused: PluginError[] = [];
  let accepted: Promise<unknown>[] = [];
  for (let sent = 0; sent < calls; sent += 1_000) {
    const slice = Array.from({ length: 1_000 }, () => call());
    // what is refused is refused by the next turn
    const isRefused = new Set<Promise<unknown>>();
    for (const each of slice) {
      each.catch((error: unknown) => {
        isRefused.add(each);
        refused.push(error as PluginError);
      });
    }
    await setImmediate();
    accepted = accepted.concat(slice.filter((each) => !isRefused.has(each)));
  }
  return { accepted, refused };
}

/** A plugin inside a call that ends when the board says so, and what it is flooded with. */
async function stuck(mailbox: object) {
  const manager = createManager();
  const plugin = await runAssistant(manager, { mailbox });
  const board = await boardOf(manager);
  const holding = later(plugin.execute({ do: 'hold' }));
  await board.hasBegun(1);
  return {
    manager,
    plugin,
    async letGo(): Promise<void> {
      await board.release();
      expect(await soon(holding)).toBe('released');
    },
  };
}

describe('a hundred thousand calls to a stuck plugin', { timeout: 180_000 }, () => {
  it('are held up to the window and the mailbox, and refused beyond', async () => {
    const { manager, plugin, letGo } = await stuck({});
    const neighbour = await startNeighbour(manager);
    const before = heldBytes();

    const input = { do: 'echo', value: 'x'.repeat(100) };
    const { accepted, refused } = await flood(CALLS, () => plugin.execute(input));

    // one of the window is the call it is stuck in
    const room = WINDOW - 1 + 10_000;
    expect(accepted).toHaveLength(room);
    expect(refused).toHaveLength(CALLS - room);
    expect(new Set(refused.map(({ code, data }) => `${code} ${JSON.stringify(data)}`))).toEqual(
      new Set(['MAILBOX_FULL {"capacity":10000}']),
    );
    refused.length = 0;
    await holdsLessThan(room * 4 * KIB, before);
    expect((await plugin.stats())?.calls).toMatchObject({ inFlight: WINDOW, queued: 10_000 });

    await letGo();
    const answers = await soon(Promise.all(accepted), 30_000);
    expect(new Set(answers)).toEqual(new Set([input.value]));
    expect((await plugin.stats())?.calls).toMatchObject({
      started: room + 1,
      succeeded: room + 1,
      failed: 0,
      timedOut: 0,
      aborted: 0,
      crashed: 0,
      inFlight: 0,
      queued: 0,
      deadLetters: 0,
    });
    await neighbour.isUnharmed();
  });

  it('of 10 KiB each are held up to the bytes their mailbox may hold', async () => {
    const bytesMax = 16 * MIB;
    const { manager, plugin, letGo } = await stuck({ bytesMax });
    const neighbour = await startNeighbour(manager);
    const before = heldBytes();

    const input = { do: 'echo', value: 'x'.repeat(10 * KIB) };
    const { accepted, refused } = await flood(CALLS, () => plugin.execute(input));

    const waiting = accepted.length - (WINDOW - 1);
    expect(waiting).toBeGreaterThan(bytesMax / (12 * KIB));
    expect(waiting).toBeLessThan(bytesMax / (11 * KIB));
    expect(refused).toHaveLength(CALLS - accepted.length);
    expect(new Set(refused.map(({ code, data }) => `${code} ${JSON.stringify(data)}`))).toEqual(
      new Set([`MAILBOX_FULL {"bytesMax":${String(bytesMax)}}`]),
    );
    refused.length = 0;
    await holdsLessThan(bytesMax + 3 * WINDOW * 10 * KIB, before);

    await letGo();
    const answers = await soon(Promise.all(accepted), 30_000);
    expect(new Set(answers)).toEqual(new Set([input.value]));
    expect((await plugin.stats())?.calls).toMatchObject({ inFlight: 0, queued: 0, failed: 0 });
    await neighbour.isUnharmed();
  });

  it("wait without number at overflow: 'wait', but not without bound in bytes", async () => {
    const bytesMax = 64 * MIB;
    const { manager, plugin, letGo } = await stuck({ capacity: 1, overflow: 'wait', bytesMax });
    const neighbour = await startNeighbour(manager);

    const { accepted, refused } = await flood(CALLS, () => plugin.execute({ do: 'echo' }));

    expect(accepted.length).toBeGreaterThan(bytesMax / (2 * KIB));
    expect(accepted.length).toBeLessThan(WINDOW + bytesMax / KIB);
    expect(refused).toHaveLength(CALLS - accepted.length);
    expect(refused.at(-1)).toMatchObject({ code: 'MAILBOX_FULL', data: { bytesMax } });

    await letGo();
    expect(await soon(Promise.all(accepted), 30_000)).toHaveLength(accepted.length);
    await neighbour.isUnharmed();
  });

  it('that all run over their deadline while they wait are never begun', async () => {
    const { plugin, letGo } = await stuck({ capacity: CALLS });
    const timeoutMs = 2_000;
    const { accepted } = await flood(CALLS, () => plugin.execute({ do: 'throw' }, { timeoutMs }));
    const outcomes = await soon(Promise.allSettled(accepted), 30_000);
    const phases = outcomes.map((outcome) => {
      const { code, data } = (outcome as PromiseRejectedResult).reason as PluginError;
      return `${code} ${String(data['phase'])}`;
    });
    expect(new Set(phases)).toEqual(new Set(['CALL_TIMEOUT queued']));
    await letGo();
    expect((await plugin.stats())?.calls).toMatchObject({ succeeded: 1, failed: 0, queued: 0 });
  });
});

describe('a call refused by a full mailbox', () => {
  it('names the plugin, the bound and the remedy', async () => {
    const { plugin, letGo } = await stuck({ capacity: 1 });
    const { accepted } = await flood(1_000, () => plugin.execute({ do: 'echo' }));
    accepted.push(...(await flood(1_000, () => plugin.execute({ do: 'echo' }))).accepted);
    const error = await failureOf(plugin.execute({ do: 'echo' }));
    expect(error).toMatchObject({ code: 'MAILBOX_FULL', pluginId: 'assistant' });
    expect(error.message).toBe(
      "the mailbox of assistant is full (capacity: 1 calls); call less, raise mailbox.capacity, or set mailbox.overflow to 'wait'",
    );
    await letGo();
    await soon(Promise.all(accepted));
  });
});
