/**
 * Holds the three runs against each other: what came out, whether it is equal, what was lost.
 * Every figure is computed from the runs. Pure.
 */
import { isDeepStrictEqual } from 'node:util';

import type { Findings } from './analysis/collection.ts';
import type { Corpus } from './documents.ts';
import type { Machine } from './machine.ts';
import type { ActorsRun } from './runs/actors.ts';
import type { FaultReport } from './runs/faults.ts';
import type { PluginRow } from './runs/plugin-rows.ts';
import type { SingleThreadRun, Stage } from './runs/single-thread.ts';

const FAULTS_EXPECTED = ['uncaught', 'hang'];

export interface Runs {
  readonly singleThread: SingleThreadRun;
  readonly actors: ActorsRun;
  readonly withFaults: ActorsRun;
}

interface ActorsSummary {
  readonly ms: number;
  readonly startUpMs: number;
  readonly plugins: readonly PluginRow[];
}

/** Also what `--json` prints. */
export interface Outcome {
  readonly ok: boolean;
  /** The sentence that counts: `lost` are the paths missing in any run, `out` is of the poorest run. */
  readonly documents: {
    readonly in: number;
    readonly out: number;
    readonly lost: readonly string[];
  };
  readonly resultsEqual: boolean;
  /** One thread's time over the actors'. */
  readonly ratio: number;
  /** What the stages and the cores allow at best. */
  readonly ratioMax: number;
  readonly runs: {
    readonly singleThread: {
      readonly ms: number;
      readonly stageMs: Readonly<Record<Stage, number>>;
    };
    readonly actors: ActorsSummary;
    readonly withFaults: ActorsSummary;
  };
  readonly faults: readonly FaultReport[];
  readonly errors: readonly string[];
  readonly findings: Omit<Findings, 'received'>;
  readonly corpus: Omit<Corpus, 'documents'>;
  readonly machine: Machine;
}

export function judge(corpus: Corpus, runs: Runs, machine: Machine): Outcome {
  const { documents, ...counts } = corpus;
  const { singleThread, actors, withFaults } = runs;
  const all = [singleThread.findings, actors.findings, withFaults.findings];
  const lost = missing(
    documents.map(({ path }) => path),
    all,
  );
  const resultsEqual = all.every((findings) => isDeepStrictEqual(findings, singleThread.findings));
  const errors = [...actors.errors, ...withFaults.errors];
  const faultsAsPlanned =
    actors.faults.length === 0 &&
    withFaults.faults.every((fault) => fault.back !== undefined) &&
    isDeepStrictEqual(
      withFaults.faults.map((fault) => fault.reason).sort(),
      FAULTS_EXPECTED.sort(),
    );
  const { received: _, ...findings } = singleThread.findings;
  return {
    ok: lost.length === 0 && resultsEqual && errors.length === 0 && faultsAsPlanned,
    documents: {
      in: documents.length,
      out: Math.min(...all.map((findings) => findings.received.length)),
      lost,
    },
    resultsEqual,
    ratio: singleThread.ms / actors.ms,
    ratioMax: bestRatio(Object.values(singleThread.stageMs), machine.cores),
    runs: {
      singleThread: { ms: singleThread.ms, stageMs: singleThread.stageMs },
      actors: summary(actors),
      withFaults: summary(withFaults),
    },
    faults: withFaults.faults,
    errors,
    findings,
    corpus: counts,
    machine,
  };
}

function missing(paths: readonly string[], all: readonly Findings[]): string[] {
  const received = all.map((findings) => new Set(findings.received));
  return paths.filter((path) => !received.every((set) => set.has(path)));
}

/** A stage cannot be split, and the work cannot be done by more cores than there are. */
function bestRatio(stageMs: readonly number[], cores: number): number {
  const total = stageMs.reduce((sum, ms) => sum + ms, 0);
  return total / Math.max(...stageMs, total / cores);
}

function summary({ ms, startUpMs, plugins }: ActorsRun): ActorsSummary {
  return { ms, startUpMs, plugins };
}
