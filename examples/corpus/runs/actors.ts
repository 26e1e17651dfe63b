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
import { inLanes, repeat } from './pace.ts';
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
    const run = await work(manager, documents, view, withFaults ? faults : undefined);
    if (withFaults) await faults.allBack();
    return { ...run, startUpMs, faults: faults.reports };
  } finally {
    await manager.close();
  }
}

/** With `faults` two of the actors fail on the way. */
async function work(
  manager: PluginManager,
  documents: readonly Document[],
  view: View,
  faults: FaultRecord | undefined,
): Promise<Omit<ActorsRun, 'startUpMs' | 'faults'>> {
  const { crashAt, loopAt } = faultPlan(faults ? documents.length : 0);
  const watch = new PluginWatch(manager);
  const errors: string[] = [];
  const startedAt = performance.now();
  let done = 0;
  const show = (plugins: readonly PluginRow[]): Progress => ({
    run: faults ? 'actors, with faults' : 'actors',
    done,
    of: documents.length,
    elapsedMs: performance.now() - startedAt,
    plugins,
  });
  const handIn = async (document: Document, index: number): Promise<void> => {
    const request: ParseRequest = { ...document, crashDuplicates: index === crashAt };
    const [, loopEnd] = await Promise.all([
      manager.execute('parse', request, { idempotent: true }),
      index === loopAt ? provokeLoop(manager) : undefined,
    ]);
    done++;
    if (index === crashAt) faults?.note('duplicates', 'its document was delivered again');
    if (loopEnd !== undefined) faults?.note('terms', `its caller got ${loopEnd}`);
  };
  const redrawing = repeat(REDRAW_EVERY_MS, async () => view.progress(show(await watch.rows())));
  try {
    await inLanes(IN_FLIGHT, documents, (document, index) =>
      handIn(document, index).catch((error: unknown) => {
        errors.push(`${document.path}: ${String(error)}`);
      }),
    );
    const findings = (await manager.execute('collect', 'findings')) as Findings;
    const ms = performance.now() - startedAt;
    const plugins = await watch.finalRows();
    await redrawing.stop();
    view.settle({ ...show(plugins), elapsedMs: ms });
    return { ms, findings, plugins, errors };
  } finally {
    await redrawing.stop();
  }
}
