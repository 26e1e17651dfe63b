/**
 * The whole work by four actors. This thread only hands documents in and looks on: a document goes
 * from `parse` to `terms` and `duplicates` and on to `collect` without coming back here.
 */
import { PluginManager } from 'troupe';

import type { Findings } from '../analysis/collection.ts';
import type { Document } from '../documents.ts';
import type { ParseRequest } from '../parse.ts';
import type { Progress, View } from '../view/view.ts';
import { type FaultReport, FaultRecord, faultPlan, provokeLoop } from './faults.ts';
import { type PluginRow, PluginWatch } from './plugin-rows.ts';
import { IN_FLIGHT, SPECS } from './specs.ts';

const REDRAW_EVERY_MS = 125;

export interface ActorsRun {
  /** From the first document in to the findings out; starting the actors is not part of it. */
  readonly ms: number;
  readonly startUpMs: number;
  readonly findings: Findings;
  readonly plugins: readonly PluginRow[];
  /** Why documents failed, if any did. */
  readonly errors: readonly string[];
  readonly faults: readonly FaultReport[];
}

export async function runActors(
  documents: readonly Document[],
  view: View,
  { withFaults }: { withFaults: boolean },
): Promise<ActorsRun> {
  const startedAt = performance.now();
  const manager = new PluginManager('corpus', { logs: 'silent' });
  try {
    const faults = new FaultRecord(manager, view);
    for (const spec of SPECS) await manager.register(spec);
    await manager.up();
    const startUpMs = performance.now() - startedAt;
    const run = await work(manager, documents, view, withFaults);
    if (withFaults) await faults.allBack();
    return { ...run, startUpMs, faults: faults.reports };
  } finally {
    await manager.close();
  }
}

async function work(
  manager: PluginManager,
  documents: readonly Document[],
  view: View,
  withFaults: boolean,
): Promise<Omit<ActorsRun, 'startUpMs' | 'faults'>> {
  const { crashAt, loopAt } = faultPlan(documents.length);
  const watch = new PluginWatch(manager);
  const errors: string[] = [];
  const startedAt = performance.now();
  let done = 0;
  let loop: Promise<void> | undefined;
  const show = (plugins: readonly PluginRow[]): Progress => ({
    run: withFaults ? 'actors, with faults' : 'actors',
    done,
    of: documents.length,
    elapsedMs: performance.now() - startedAt,
    plugins,
  });
  const redrawing = repeat(REDRAW_EVERY_MS, async () => view.progress(show(await watch.rows())));
  await inLanes(IN_FLIGHT, documents, async (document, index) => {
    if (withFaults && index === loopAt) loop = provokeLoop(manager);
    const crashDuplicates = withFaults && index === crashAt;
    const request: ParseRequest = { ...document, crashDuplicates };
    try {
      await manager.execute('parse', request, { idempotent: true });
      done++;
    } catch (error) {
      errors.push(`${document.path}: ${String(error)}`);
    }
  });
  const findings = (await manager.execute('collect', 'findings')) as Findings;
  const ms = performance.now() - startedAt;
  await loop;
  await redrawing.stop();
  const plugins = await watch.finalRows();
  view.settle({ ...show(plugins), elapsedMs: ms });
  return { ms, findings, plugins, errors };
}

/** `lanes` workers of one queue: as one item is done, the lane takes the next. */
async function inLanes<T>(
  lanes: number,
  items: readonly T[],
  each: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) await each(item, index);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Runs `action` again and again, never two at once; `stop` waits for the last. */
function repeat(everyMs: number, action: () => Promise<void>): { stop: () => Promise<void> } {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= action().finally(() => (running = undefined));
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
