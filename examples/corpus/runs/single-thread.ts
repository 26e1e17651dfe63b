/**
 * The whole work in one thread, document by document: what the actors are measured against. Uses
 * the same functions as the plugins, and tells what each stage costs. Never starts a thread.
 */
import { Collection, type Findings, resultOf } from '../analysis/collection.ts';
import { fullText, parseMarkdown } from '../analysis/markdown.ts';
import { signatureOf } from '../analysis/min-hash.ts';
import { termStatistics } from '../analysis/terms.ts';
import type { Document } from '../documents.ts';
import type { View } from '../view/view.ts';

const PROGRESS_EVERY_MS = 125;

export type Stage = 'parse' | 'terms' | 'duplicates' | 'collect';

export interface SingleThreadRun {
  readonly ms: number;
  readonly stageMs: Readonly<Record<Stage, number>>;
  readonly findings: Findings;
}

export function runSingleThread(documents: readonly Document[], view: View): SingleThreadRun {
  const stageMs = { parse: 0, terms: 0, duplicates: 0, collect: 0 };
  const timed = <T>(stage: Stage, work: () => T): T => {
    const from = performance.now();
    const result = work();
    stageMs[stage] += performance.now() - from;
    return result;
  };
  const collection = new Collection();
  const startedAt = performance.now();
  let shownAt = startedAt;
  for (const [index, { path, markdown }] of documents.entries()) {
    const parsed = timed('parse', () => parseMarkdown(markdown));
    const statistics = timed('terms', () => termStatistics(parsed.prose));
    const signature = timed('duplicates', () => signatureOf(fullText(parsed)));
    timed('collect', () => collection.add(resultOf(path, parsed, statistics, signature)));
    if (performance.now() - shownAt < PROGRESS_EVERY_MS) continue;
    shownAt = performance.now();
    view.progress({
      run: 'one thread',
      done: index + 1,
      of: documents.length,
      elapsedMs: shownAt - startedAt,
      plugins: [],
    });
  }
  const findings = timed('collect', () => collection.findings());
  const ms = performance.now() - startedAt;
  const [done, of] = [findings.received.length, documents.length];
  view.settle({ run: 'one thread', done, of, elapsedMs: ms, plugins: [] });
  return { ms, stageMs, findings };
}
