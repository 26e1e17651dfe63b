/** Two results, cell by cell. */
import { usageError } from '../cli-error.ts';
import type { BenchResult, Cell, Summary } from './result.ts';
import { summarise } from './result.ts';
import { areApart } from './statistics.ts';

export interface CellChange {
  threads: number;
  inFlight: number;
  perSecBefore: number | undefined;
  perSecNow: number | undefined;
  /** Percent, signed; `undefined` where one of them is. */
  perSecChange: number | undefined;
  p50Change: number | undefined;
  p99Change: number | undefined;
  /** No round of one is where a round of the other could be; `undefined` with fewer than two rounds. */
  isBeyondSpread: boolean | undefined;
}

export interface Comparison {
  /** When the earlier one was made. */
  with: string;
  cells: CellChange[];
  /** Cells that the earlier one has not. */
  unmatched: number;
  warnings: string[];
}

/** What of a result is known before anything is measured. */
export type Beforehand = Omit<BenchResult, 'cells' | 'isPartial' | 'at'>;

/**
 * What differs, and should be known. @throws CliError where the figures of both mean different
 * things.
 */
export function checkComparable(earlier: BenchResult, now: Beforehand): string[] {
  if (earlier.options.isStream !== now.options.isStream) {
    const [a, b] = earlier.options.isStream ? ['chunks', 'calls'] : ['calls', 'chunks'];
    throw usageError(
      `the earlier result counts ${a}, this one ${b}: give --stream to both or to none`,
    );
  }
  if (earlier.inputs.sha256 !== now.inputs.sha256) {
    const [a, b] = [earlier.inputs.source, now.inputs.source];
    const what = a === b ? `${a} has changed since` : `it had ${a}, this one has ${b}`;
    throw usageError(
      `the earlier result had other inputs (${what}): measure both with the same ones`,
    );
  }
  const differences: (readonly [what: string, before: string, now: string])[] = [
    ['plugin', earlier.plugin.id, now.plugin.id],
    ['machine', machineOf(earlier), machineOf(now)],
    ['Node', earlier.node, now.node],
    ['isolation', earlier.options.isolation, now.options.isolation],
    ['concurrency', String(earlier.options.concurrency), String(now.options.concurrency)],
  ];
  return differences
    .filter(([, before, after]) => before !== after)
    .map(
      ([what, before, after]) =>
        `the earlier result is of another ${what}: ${before}, now ${after}`,
    );
}

export function compare(
  earlier: BenchResult,
  cells: readonly Cell[],
  warnings: string[] = [],
): Comparison {
  const before = new Map(earlier.cells.map((cell) => [keyOf(cell), summarise(cell)]));
  const changes = cells.flatMap((cell) => {
    const match = before.get(keyOf(cell));
    return match ? [changeOf(match, summarise(cell))] : [];
  });
  return { with: earlier.at, cells: changes, unmatched: cells.length - changes.length, warnings };
}

/** Slower by more than that, and not by chance. A cell where nothing succeeds any more is one, too. */
export function regressions({ cells }: Comparison, percent: number): CellChange[] {
  return cells.filter(({ perSecBefore, perSecNow, perSecChange, isBeyondSpread }) =>
    perSecNow === undefined
      ? perSecBefore !== undefined
      : isBeyondSpread === true && (perSecChange ?? 0) < -percent,
  );
}

function changeOf(before: Summary, now: Summary): CellChange {
  const isKnown = before.rounds > 1 && now.rounds > 1;
  return {
    threads: now.threads,
    inFlight: now.inFlight,
    perSecBefore: before.perSec?.median,
    perSecNow: now.perSec?.median,
    perSecChange: percentChange(before.perSec?.median, now.perSec?.median),
    p50Change: percentChange(before.latencyMs?.p50, now.latencyMs?.p50),
    p99Change: percentChange(before.latencyMs?.p99, now.latencyMs?.p99),
    isBeyondSpread:
      isKnown && before.perSec && now.perSec ? areApart(before.perSec, now.perSec) : undefined,
  };
}

function percentChange(before: number | undefined, now: number | undefined): number | undefined {
  return before === undefined || now === undefined || before === 0
    ? undefined
    : (now / before - 1) * 100;
}

function keyOf({ threads, inFlight }: { threads: number; inFlight: number }): string {
  return `${String(threads)} ${String(inFlight)}`;
}

function machineOf({ machine }: Beforehand | BenchResult): string {
  return `${machine.platform}-${machine.arch}, ${String(machine.cores)} × ${machine.cpu}`;
}
