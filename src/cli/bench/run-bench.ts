/** `troupe bench`: reads what it is given, measures, and tells what came of it. */
import { access, constants } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

import { PluginError } from '../../index.ts';
import { failure, usageError } from '../cli-error.ts';
import { INTERRUPTED, onInterrupt } from '../interrupts.ts';
import { note, paintFor } from '../terminal.ts';
import { troupeVersion } from '../version.ts';
import {
  checkComparable,
  compare,
  regressions,
  type Beforehand,
  type Comparison,
} from './compare.ts';
import { readInputs, type Inputs } from './inputs.ts';
import { thisMachine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { planSweep, type CellPlan } from './plan.ts';
import { Progress } from './progress.ts';
import { save, tell } from './publish.ts';
import { readResult } from './read-result.ts';
import { FORMAT, FORMAT_VERSION, type BenchResult } from './result.ts';
import { Session, type Ending } from './session.ts';
import { readTarget, type Target } from './target.ts';

/** @returns the exit code. @throws CliError. */
export async function runBench(location: string, options: BenchOptions): Promise<number> {
  try {
    return await bench(location, options);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    throw error.code === 'INVALID_SPEC'
      ? usageError(error.message, error)
      : failure(error.message, error);
  }
}

async function bench(location: string, options: BenchOptions): Promise<number> {
  const target = await readTarget(location, options);
  const companions = await Promise.all(options.companions.map((name) => readTarget(name)));
  const inputs = await readInputs(options);
  const beforehand = describe(target, inputs, options);
  // all that may be wrong is found before the first measurement, not after the last
  const earlier =
    options.compareFile === undefined ? undefined : await readResult(options.compareFile);
  const differences = earlier ? checkComparable(earlier, beforehand) : [];
  const cells = sweepOf(options, earlier);
  await checkWritable(options);

  if (inputs.note !== undefined) warn(inputs.note);
  const { session, ending } = await measure(target, companions, inputs, cells, options);
  session.problems.forEach(warn);
  if (session.cells.length === 0) {
    if (ending.kind !== 'failed') {
      note('Nothing was measured yet.');
      return INTERRUPTED;
    }
    throw failure(ending.message);
  }
  const result: BenchResult = {
    ...beforehand,
    at: new Date().toISOString(),
    isPartial: ending.kind !== 'complete',
    cells: session.cells,
  };
  const comparison = earlier && compare(earlier, result.cells, differences);
  tell(result, comparison, options, session.failures);
  await save(result, options);
  return exitCodeOf(ending, comparison, options);
}

function describe({ spec, sha256 }: Target, inputs: Inputs, options: BenchOptions): Beforehand {
  const { durationMs, calls, warmupMs, rounds, timeoutMs, isStream } = options;
  const { isolation = 'thread', concurrency = 1 } = spec;
  const { source, count } = inputs;
  return {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    troupe: troupeVersion(),
    node: process.versions.node,
    machine: thisMachine(),
    plugin: { id: spec.id, name: spec.name ?? spec.id, version: spec.version ?? '1.0.0', sha256 },
    inputs: { source, count, sha256: inputs.sha256 },
    options: { durationMs, calls, warmupMs, rounds, timeoutMs, isStream, isolation, concurrency },
  };
}

function sweepOf(
  { threads, inFlight }: BenchOptions,
  earlier: BenchResult | undefined,
): readonly CellPlan[] {
  const { cells, leftOut } = planSweep(threads, inFlight);
  if (cells.length === 0) {
    throw usageError('every --in-flight is below --threads: some threads would have nothing to do');
  }
  for (const cell of leftOut) {
    warn(
      `not measured: ${String(cell.inFlight)} in flight on ${String(cell.threads)} threads, for some would have nothing to do`,
    );
  }
  const cores = os.availableParallelism();
  const most = Math.max(...threads);
  if (most > cores) warn(`${String(most)} threads share ${String(cores)} cores with the caller`);
  const isCommon = cells.some((cell) =>
    earlier?.cells.some((each) => each.threads === cell.threads && each.inFlight === cell.inFlight),
  );
  if (!earlier || isCommon) return cells;
  const has = earlier.cells.map((cell) => `${String(cell.threads)} × ${String(cell.inFlight)}`);
  throw usageError(
    `the earlier result has none of these numbers of threads × calls in flight; it has ${has.join(', ')}`,
  );
}

async function checkWritable({ saveFile, plotFile }: BenchOptions): Promise<void> {
  for (const [option, file] of [
    ['--save', saveFile],
    ['--plot', plotFile],
  ] as const) {
    if (file === undefined) continue;
    const folder = path.dirname(path.resolve(file));
    await access(folder, constants.W_OK).catch(() => {
      throw usageError(`${option} ${file}: its folder is not there, or may not be written to`);
    });
  }
  if (plotFile !== undefined && !plotFile.endsWith('.svg')) {
    throw usageError(`--plot ${plotFile}: it draws an SVG; name a file that ends in .svg`);
  }
}

async function measure(
  target: Target,
  companions: readonly Target[],
  inputs: Inputs,
  cells: readonly CellPlan[],
  options: BenchOptions,
): Promise<{ session: Session; ending: Ending }> {
  const progress = new Progress();
  const onProgress = (round: number, { threads, inFlight }: CellPlan): void => {
    const of = `round ${String(round)} of ${String(options.rounds)}`;
    const where = threads === 1 ? '1 thread' : `${String(threads)} threads`;
    progress.show(
      `${of}: ${where}, ${String(inFlight)} in flight (Ctrl-C ends it and keeps what is measured)`,
    );
  };
  const session = new Session({ target, companions, inputs, cells, options, onProgress });
  const forget = onInterrupt(() => session.interrupt());
  try {
    return { session, ending: await session.run() };
  } finally {
    forget();
    progress.clear();
  }
}

function exitCodeOf(
  ending: Ending,
  comparison: Comparison | undefined,
  options: BenchOptions,
): number {
  if (ending.kind === 'interrupted') return INTERRUPTED;
  if (ending.kind === 'failed') throw failure(ending.message);
  const percent = options.failOnRegressionPercent;
  return percent !== undefined && comparison && regressions(comparison, percent).length > 0 ? 1 : 0;
}

function warn(text: string): void {
  note(`${paintFor(process.stderr)('yellow', 'note:')} ${text}`);
}
