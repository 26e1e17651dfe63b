/** Results of `troupe bench` with made-up figures. */
import type { BenchResult, Cell, Round } from '../../src/cli/bench/result.ts';

export function round(callsPerSec: number, changes: Partial<Round> = {}): Round {
  return {
    windowMs: 1_000,
    succeeded: callsPerSec,
    failures: {},
    callsPerSec,
    latencyMs: { mean: 0.2, p50: 0.1, p90: 0.3, p99: 1, max: 5 },
    pluginBusy: 0.5,
    callerBusy: 0.25,
    memoryBytes: 5_242_880,
    crashes: 0,
    ...changes,
  };
}

export function cell(threads: number, inFlight: number, ...rounds: Round[]): Cell {
  return { threads, inFlight, rounds };
}

export function result(cells: Cell[], changes: Partial<BenchResult> = {}): BenchResult {
  return {
    format: 'troupe-bench',
    formatVersion: 1,
    at: '2026-01-02T03:04:05.678Z',
    isPartial: false,
    troupe: '0.1.0',
    node: '20.20.2',
    machine: { platform: 'linux', arch: 'x64', cpu: 'Abacus', cores: 2, memoryBytes: 1 },
    plugin: { id: 'primes', name: 'Primes', version: '1.2.3' },
    inputs: { source: 'in.json', count: 3, sha256: 'abc' },
    options: {
      durationMs: 1_000,
      calls: undefined,
      warmupMs: 300,
      rounds: 2,
      timeoutMs: 30_000,
      isStream: false,
      isolation: 'thread',
      concurrency: 1,
    },
    cells,
    ...changes,
  };
}
