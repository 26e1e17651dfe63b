/** Where a plugin spends its time, seen while it runs. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import type { CpuProfileReport, PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { newBlock } from '../support/block.ts';
import { nextEvent } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';
import { createManager, run, runAssistant, specOf } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { failureOf, later } from '../support/outcomes.ts';

const deaf = { limits: { stopTimeoutMs: 100 } };
const durationMs = 300;

/** The function that counts in this word turns; what lets all of them end. */
async function working(manager: PluginManager, word: number): Promise<() => void> {
  const words = new Int32Array(await manager.context.shared('labourer', 12));
  await eventually(() => Atomics.load(words, word) > 0);
  return () => Atomics.store(words, 0, 1);
}

const namesIn = ({ top }: CpuProfileReport): string[] => top.map((each) => each.functionName);

describe('a CPU profile', () => {
  it('of a plugin inside a loop names its hot function, and its file can be opened', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await run(manager, 'labourer.mjs', { config: { work: 'left' } });
    const call = later(plugin.execute(undefined));
    const release = await working(manager, 1);
    const file = path.join(await temporaryFolder(), 'spinner.cpuprofile');
    const report = await plugin.cpuProfile({ file, durationMs });
    expect(report).toMatchObject({ file, top: expect.any(Array) as unknown });
    expect(report.samples).toBeGreaterThan(10);
    expect(report.durationMs).toBeGreaterThan(durationMs / 2);
    const [hottest] = report.top;
    expect(hottest).toMatchObject({
      functionName: 'leftWork',
      url: expect.stringMatching(/labourer\.mjs$/) as string,
    });
    expect(hottest?.line).toBeGreaterThan(1);
    expect(hottest?.selfMs).toBeGreaterThan(durationMs / 4);
    expect(hottest?.share).toBeGreaterThan(0.5);
    expect(hottest?.share).toBeLessThanOrEqual(1);
    const written = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown[]>;
    expect(Object.keys(written)).toEqual(
      expect.arrayContaining(['nodes', 'startTime', 'endTime', 'samples', 'timeDeltas']),
    );
    expect(written['samples']).toHaveLength(report.samples);
    release();
    await call;
    await neighbour.isUnharmed();
  });

  it('is of that plugin alone, also while another is profiled', async () => {
    const manager = createManager();
    const [left, right] = [
      await run(manager, 'labourer.mjs', { id: 'left', config: { work: 'left' } }),
      await run(manager, 'labourer.mjs', { id: 'right', config: { work: 'right' } }),
    ];
    const calls = later(Promise.all([left.execute(undefined), right.execute(undefined)]));
    await working(manager, 1);
    const release = await working(manager, 2);
    const folder = await temporaryFolder();
    const [ofLeft, ofRight] = await Promise.all([
      left.cpuProfile({ file: path.join(folder, 'left'), durationMs }),
      right.cpuProfile({ file: path.join(folder, 'right'), durationMs }),
    ]);
    expect(namesIn(ofLeft)[0]).toBe('leftWork');
    expect(namesIn(ofLeft)).not.toContain('rightWork');
    expect(namesIn(ofRight)[0]).toBe('rightWork');
    expect(namesIn(ofRight)).not.toContain('leftWork');
    release();
    await calls;
  });

  it('can be taken again and again, to the same file, given as a URL', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const folder = await temporaryFolder();
    const file = pathToFileURL(path.join(folder, 'again.cpuprofile'));
    for (let round = 0; round < 3; round++) {
      const report = await plugin.cpuProfile({ file, durationMs: 20, samplingIntervalUs: 200 });
      expect(report.file).toBe(path.join(folder, 'again.cpuprofile'));
    }
    expect(await readdir(folder)).toEqual(['again.cpuprofile']);
  });

  it('can be taken of a plugin that stands still at a checkpoint, and leaves it paused', async () => {
    const manager = createManager();
    const plugin = await run<object>(manager, 'parker.mjs');
    const turning = nextEvent(manager, 'progress');
    const call = later(plugin.execute({ turns: 20_000_000 }));
    await turning;
    await plugin.pause();
    const file = path.join(await temporaryFolder(), 'parked');
    const report = await plugin.cpuProfile({ file, durationMs });
    expect(report.samples).toBeGreaterThan(0);
    expect(report.top).not.toEqual([]);
    expect(plugin.state).toBe('paused');
    await plugin.resume();
    expect(await call).toBe(20_000_000);
  });
});

describe('a CPU profile that cannot be taken', () => {
  it('is refused without a thread, by the name of the state', async () => {
    const manager = createManager();
    await manager.register(specOf('echo.mjs'));
    const file = path.join(await temporaryFolder(), 'none');
    expect(await failureOf(manager.cpuProfile('echo', { file }))).toMatchObject({
      code: 'INVALID_STATE',
      pluginId: 'echo',
      data: { state: 'unloaded' },
      message: expect.stringContaining('unloaded') as string,
    });
    expect(await failureOf(manager.cpuProfile('nobody', { file }))).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it.each([
    ['file', {}],
    ['file', { file: '' }],
    ['file', { file: new URL('https://example.org/profile') }],
    ['file', { file: 'no-such-folder/a.cpuprofile' }],
    ['file', { file: '.' }],
    ['durationMs', { file: 'x', durationMs: 0 }],
    ['durationMs', { file: 'x', durationMs: 60_001 }],
    ['samplingIntervalUs', { file: 'x', samplingIntervalUs: 99 }],
    ['samplingIntervalUs', { file: 'x', samplingIntervalUs: Number.NaN }],
  ])('is refused for its option %s: %o', async (field, options) => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    expect(await failureOf(plugin.cpuProfile(options as { file: string }))).toMatchObject({
      code: 'INVALID_SPEC',
      pluginId: 'assistant',
      data: { field },
    });
  });

  it('is refused while another of the same plugin is under way', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const folder = await temporaryFolder();
    const end = new AbortController();
    const file = path.join(folder, 'first');
    const first = later(plugin.cpuProfile({ file, durationMs: 60_000, signal: end.signal }));
    const second = { file: path.join(folder, 'second') };
    expect(await failureOf(plugin.cpuProfile(second))).toMatchObject({ code: 'INVALID_STATE' });
    expect(await failureOf(plugin.heapSnapshot(second))).toMatchObject({ code: 'INVALID_STATE' });
    end.abort();
    await failureOf(first);
    await plugin.cpuProfile({ ...second, durationMs: 20 });
    expect(await readdir(folder)).toEqual(['second']);
  });

  it('is aborted at once by its signal, and leaves nothing', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, deaf);
    const board = await boardOf(manager);
    void later(plugin.execute({ do: 'spin' }));
    await board.isTurning();
    const folder = await temporaryFolder();
    const end = new AbortController();
    const file = path.join(folder, 'aborted');
    const profile = later(plugin.cpuProfile({ file, durationMs: 60_000, signal: end.signal }));
    await board.isTurning();
    end.abort(new Error('enough'));
    expect(await failureOf(profile)).toMatchObject({
      code: 'CALL_ABORTED',
      cause: { message: 'enough' },
    });
    expect(await failureOf(plugin.cpuProfile({ file, signal: end.signal }))).toMatchObject({
      code: 'CALL_ABORTED',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['crashes', 'PLUGIN_CRASHED', { do: 'exit', code: 3 }],
    ['is unloaded', 'PLUGIN_STOPPED', undefined],
  ])('says so where the plugin %s meanwhile, and leaves nothing', async (_, code, command) => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const folder = await temporaryFolder();
    const profile = later(
      plugin.cpuProfile({ file: path.join(folder, 'dead'), durationMs: 60_000 }),
    );
    if (command) await failureOf(plugin.execute(command));
    else await plugin.unload();
    expect(await failureOf(profile)).toMatchObject({ code, pluginId: 'assistant' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('is given up where the thread is blocked outside of JavaScript', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'idler.mjs');
    const block = await newBlock();
    const blocked = plugin.execute(block.input);
    await eventually(async () => {
      expect((await plugin.health()).busySinceMs).toBeGreaterThan(200);
    });
    const folder = await temporaryFolder();
    const file = path.join(folder, 'blocked');
    expect(await failureOf(plugin.cpuProfile({ file, durationMs }))).toMatchObject({
      code: 'CALL_TIMEOUT',
      message: expect.stringContaining('blocked') as string,
    });
    expect(await readdir(folder)).toEqual([]);
    await block.release();
    await blocked;
    expect((await plugin.cpuProfile({ file, durationMs: 20 })).file).toBe(file);
  });
});
