/** CPU profile and heap snapshot of a plugin in a process of its own: it looks at itself. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { temporaryFolder } from '../support/files.ts';
import { createManager, EAGER_RESTART, run } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { failureOf, later } from '../support/outcomes.ts';

const inProcess = { isolation: 'process', restart: EAGER_RESTART } as const;

describe('a plugin in a process', () => {
  it('can be profiled while calls go through it', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await run<number, number>(manager, 'self-watched.mjs', inProcess);
    const folder = await temporaryFolder();
    const profiled = plugin.cpuProfile({ file: path.join(folder, 'a'), durationMs: 300 });
    const over = new AbortController();
    void profiled.finally(() => {
      over.abort();
    });
    while (!over.signal.aborted) expect(await plugin.execute(20)).toBe(1);
    const report = await profiled;
    expect(report.top[0]).toMatchObject({
      functionName: 'watchedWork',
      url: expect.stringMatching(/self-watched\.mjs$/) as string,
    });
    expect(report.durationMs).toBeGreaterThan(150);
    const written = JSON.parse(await readFile(report.file, 'utf8')) as { samples: unknown[] };
    expect(written.samples).toHaveLength(report.samples);
    expect(await readdir(folder)).toEqual(['a']);
    await neighbour.isUnharmed();
  });

  it('writes what it holds, and goes on', async () => {
    const manager = createManager();
    const plugin = await run<number, number>(manager, 'self-watched.mjs', inProcess);
    const folder = await temporaryFolder();
    const { file, bytes } = await plugin.heapSnapshot({ file: path.join(folder, 'b') });
    const text = await readFile(file, 'utf8');
    expect(Buffer.byteLength(text)).toBe(bytes);
    const { strings } = JSON.parse(text) as { strings: string[] };
    expect(strings).toEqual(
      expect.arrayContaining(['WatchedTreasure', 'treasure of a process']) as string[],
    );
    expect(await readdir(folder)).toEqual(['b']);
    expect(await plugin.execute(1)).toBe(1);
    expect(await plugin.stats()).toMatchObject({ generation: 1, restarts: 0 });
  });

  it('that ends meanwhile leaves no half of a file', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'processed.mjs', inProcess);
    const folder = await temporaryFolder();
    const profiled = later(plugin.cpuProfile({ file: path.join(folder, 'c'), durationMs: 20_000 }));
    await plugin.execute({ do: 'generation' });
    const killed = later(plugin.execute({ do: 'kill', signal: 'SIGKILL' }));
    expect(await failureOf(profiled)).toMatchObject({ code: 'PLUGIN_CRASHED' });
    expect(await failureOf(killed)).toMatchObject({ code: 'PLUGIN_CRASHED' });
    expect(await readdir(folder)).toEqual([]);
  });
});
