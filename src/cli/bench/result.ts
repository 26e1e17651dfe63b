/** What a bench measured: the JSON that `--json` prints, `--save` writes and `--compare` reads. */
import type { LatencyMs } from './meter.ts';
import type { BenchOptions } from './options.ts';
import { spreadOf, type Spread } from './statistics.ts';

export const FORMAT = 'troupe-bench';
export const FORMAT_VERSION = 1;

export interface Round {
  windowMs: number;
  /** Answered calls, and those that failed, by error code. */
  succeeded: number;
  failures: Record<string, number>;
  callsPerSec: number;
  /** Of streams only. */
  chunksPerSec?: number | undefined;
  latencyMs?: LatencyMs | undefined;
  /** Busy shares, 0 to 1: of the plugin's threads on average, and of the thread that calls them. */
  pluginBusy?: number | undefined;
  callerBusy: number;
  /** Heap and buffers of the plugin's threads together, at the end. */
  memoryBytes?: number | undefined;
  crashes: number;
}

export interface Cell {
  threads: number;
  inFlight: number;
  rounds: Round[];
}

export interface Machine {
  platform: string;
  arch: string;
  cpu: string;
  cores: number;
  memoryBytes: number;
}

export interface BenchResult {
  format: typeof FORMAT;
  formatVersion: typeof FORMAT_VERSION;
  /** ISO 8601. */
  at: string;
  /** Ended by Ctrl-C, or because the plugin failed: there are fewer rounds than asked for. */
  isPartial: boolean;
  troupe: string;
  node: string;
  machine: Machine;
  plugin: { id: string; name: string; version: string; sha256?: string | undefined };
  inputs: { source: string; count?: number | undefined; sha256: string };
  options: ResultOptions;
  cells: Cell[];
}

export type ResultOptions = Pick<
  BenchOptions,
  'durationMs' | 'calls' | 'warmupMs' | 'rounds' | 'timeoutMs' | 'isStream'
> & { isolation: string; concurrency: number };

export interface Summary {
  threads: number;
  inFlight: number;
  rounds: number;
  /** Calls, or of streams chunks; `undefined` where nothing succeeded. */
  perSec: Spread | undefined;
  /** Medians of the rounds; `max` is the largest of all. */
  latencyMs: LatencyMs | undefined;
  succeeded: number;
  failed: number;
  failures: Record<string, number>;
  pluginBusy: number | undefined;
  callerBusy: number | undefined;
  /** The largest. */
  memoryBytes: number | undefined;
  crashes: number;
}

export function summarise({ threads, inFlight, rounds }: Cell): Summary {
  const failures: Record<string, number> = {};
  for (const [code, count] of rounds.flatMap((round) => Object.entries(round.failures))) {
    failures[code] = (failures[code] ?? 0) + count;
  }
  const succeeded = sum(rounds.map((round) => round.succeeded));
  const rates = rounds.map((round) => round.chunksPerSec ?? round.callsPerSec);
  return {
    threads,
    inFlight,
    rounds: rounds.length,
    perSec: rates.some((rate) => rate > 0) ? spreadOf(rates) : undefined,
    latencyMs: latencyOf(rounds.flatMap((round) => round.latencyMs ?? [])),
    succeeded,
    failed: sum(Object.values(failures)),
    failures,
    pluginBusy: spreadOf(rounds.flatMap((round) => round.pluginBusy ?? []))?.median,
    callerBusy: spreadOf(rounds.map((round) => round.callerBusy))?.median,
    memoryBytes: spreadOf(rounds.flatMap((round) => round.memoryBytes ?? []))?.max,
    crashes: sum(rounds.map((round) => round.crashes)),
  };
}

function latencyOf(rounds: readonly LatencyMs[]): LatencyMs | undefined {
  const of = (name: keyof LatencyMs): Spread | undefined =>
    spreadOf(rounds.map((round) => round[name]));
  const [mean, p50, p90, p99, max] = [of('mean'), of('p50'), of('p90'), of('p99'), of('max')];
  if (!mean || !p50 || !p90 || !p99 || !max) return undefined;
  return { mean: mean.median, p50: p50.median, p90: p90.median, p99: p99.median, max: max.max };
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
