/** What a plugin holds, written while it runs. */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import type { PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { newBlock } from '../support/block.ts';
import { eventsOf, nextEvent, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';
import { createManager, run, specOf } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { failureOf, later } from '../support/outcomes.ts';

/** Its snapshot takes as long as a test says, and is large. */
const HEAVY = { treasures: 150_000, lingers: true };

/** Long enough for a plugin that does nothing wrong, on a machine that is slow. */
const UNRESPONSIVE_MS = 3_000;

async function stringsIn(file: string): Promise<Set<string>> {
  const { strings } = JSON.parse(await readFile(file, 'utf8')) as { strings: string[] };
  return new Set(strings);
}

/** Its loop turns; what ends that. */
async function guarding(manager: PluginManager): Promise<() => void> {
  const words = new Int32Array(await manager.context.shared('keeper', 8));
  await eventually(() => Atomics.load(words, 1) > 0);
  return () => Atomics.store(words, 0, 1);
}

describe('a heap snapshot', () => {
  it('holds what the plugin holds, and nothing of another', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const keeper = await run(manager, 'keeper.mjs', { id: 'left' });
    await run(manager, 'keeper.mjs', { id: 'right' });
    const folder = await temporaryFolder();
    const report = await keeper.heapSnapshot({ file: path.join(folder, 'left.heapsnapshot') });
    const { size, mode } = await stat(report.file);
    expect(report).toEqual({ file: path.join(folder, 'left.heapsnapshot'), bytes: size });
    const ofOthers = process.platform === 'win32' ? 0 : mode & 0o077;
    expect(ofOthers).toBe(0);
    const strings = await stringsIn(report.file);
    expect(strings).toContain('KeptTreasure');
    expect(strings).toContain('treasure 7 of left');
    expect(strings).not.toContain('treasure 7 of right');
    expect(await readdir(folder)).toEqual(['left.heapsnapshot']);
    expect(await keeper.execute({})).toBe(10);
    await neighbour.isUnharmed();
  });

  it('can be taken of a plugin inside a loop', async () => {
    const manager = createManager();
    const keeper = await run(manager, 'keeper.mjs');
    const call = later(keeper.execute({ guard: true }));
    const release = await guarding(manager);
    const file = path.join(await temporaryFolder(), 'busy.heapsnapshot');
    await keeper.heapSnapshot({ file });
    expect(await stringsIn(file)).toContain('treasure 7 of keeper');
    release();
    expect(await call).toBe(10);
  });

  it('is no silence: the plugin is told to be standing still, and goes on', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const keeper = await run(manager, 'keeper.mjs', {
      config: HEAVY,
      limits: { unresponsiveMs: UNRESPONSIVE_MS, memoryMb: 64 },
    });
    const other = await run(manager, 'idler.mjs', {
      limits: { unresponsiveMs: 2 * UNRESPONSIVE_MS },
    });
    const file = path.join(await temporaryFolder(), 'heavy');
    const taken = later(keeper.heapSnapshot({ file }));
    const release = await guarding(manager);
    expect(await keeper.health()).toEqual({
      healthy: true,
      live: true,
      ready: false,
      state: 'running',
      reason: 'a snapshot of its heap is being taken',
    });
    const waiting = later(keeper.execute({}));
    // one that may be silent for longer, and is so only from now on, is found to be
    const told = nextEvent(manager, 'unresponsive');
    await other.execute({ way: 'spin' });
    expect((await told).id).toBe('idler');
    release();
    expect((await taken).bytes).toBeGreaterThan(10_000_000);
    expect(await waiting).toBe(HEAVY.treasures);
    expect(eventsOf(events, 'unresponsive').map(({ id }) => id)).toEqual(['idler']);
    expect(eventsOf(events, 'crashed').filter(({ id }) => id === 'keeper')).toEqual([]);
    await eventually(async () => {
      expect(await keeper.health()).toMatchObject({ healthy: true, ready: true });
    });
  });
});

describe('a heap snapshot that cannot be taken', () => {
  it('is refused without a thread, and for a file that cannot be', async () => {
    const manager = createManager();
    await manager.register(specOf('keeper.mjs'));
    const folder = await temporaryFolder();
    const take = (file: string) => manager.heapSnapshot('keeper', { file });
    expect(await failureOf(take(path.join(folder, 'x')))).toMatchObject({
      code: 'INVALID_STATE',
      data: { state: 'unloaded' },
    });
    await manager.up();
    for (const file of [path.join(folder, 'missing', 'x'), folder]) {
      expect(await failureOf(take(file))).toMatchObject({
        code: 'INVALID_SPEC',
        data: { field: 'file' },
        message: expect.stringContaining(file) as string,
      });
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing where it is aborted, and the plugin goes on when it has been taken', async () => {
    const manager = createManager();
    const keeper = await run(manager, 'keeper.mjs', { config: HEAVY });
    const folder = await temporaryFolder();
    const end = new AbortController();
    const file = path.join(folder, 'aborted');
    const taken = later(keeper.heapSnapshot({ file, signal: end.signal }));
    const release = await guarding(manager);
    end.abort();
    expect(await failureOf(taken)).toMatchObject({ code: 'CALL_ABORTED' });
    expect(await readdir(folder)).toEqual([]);
    expect(await failureOf(keeper.heapSnapshot({ file }))).toMatchObject({
      code: 'INVALID_STATE',
      message: expect.stringContaining('under way') as string,
    });
    release();
    expect(await keeper.execute({})).toBe(HEAVY.treasures);
    // what its thread wrote all the same is taken away
    await eventually(async () => expect(await readdir(folder)).toEqual([]));
  });

  it('says so where the plugin is ended meanwhile, and leaves nothing', async () => {
    const manager = createManager();
    const idler = await run(manager, 'idler.mjs', { limits: { stopTimeoutMs: 100 } });
    void later(idler.execute((await newBlock()).input));
    await eventually(async () => {
      expect((await idler.health()).busySinceMs).toBeGreaterThan(200);
    });
    const folder = await temporaryFolder();
    const taken = later(idler.heapSnapshot({ file: path.join(folder, 'dead') }));
    expect(await failureOf(idler.unload())).toMatchObject({ code: 'STOP_TIMEOUT' });
    expect(await failureOf(taken)).toMatchObject({ code: 'PLUGIN_STOPPED' });
    expect(await readdir(folder)).toEqual([]);
  });
});
