/** What is counted about one plugin's calls. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

import type { Latency } from '../protocol/report.ts';

export type CallEnd = 'succeeded' | 'failed' | 'timedOut' | 'aborted' | 'crashed';

const MICROS_PER_MS = 1_000;
const COUNTS = [
  'started',
  'succeeded',
  'failed',
  'timedOut',
  'aborted',
  'crashed',
  'lateReplies',
] as const;

export class Meter {
  started = 0;
  succeeded = 0;
  failed = 0;
  timedOut = 0;
  aborted = 0;
  crashed = 0;
  lateReplies = 0;
  /** Accepted until settled (µs). */
  readonly #latency: RecordableHistogram = createHistogram();

  get settled(): number {
    return this.succeeded + this.failed + this.timedOut + this.aborted + this.crashed;
  }

  /** Calls, by how they ended. */
  counts(): Record<CallEnd | 'started', number> {
    const { started, succeeded, failed, timedOut, aborted, crashed } = this;
    return { started, succeeded, failed, timedOut, aborted, crashed };
  }

  ended(how: CallEnd, latencyMs: number): void {
    this[how]++;
    this.#latency.record(Math.max(1, Math.round(latencyMs * MICROS_PER_MS)));
  }

  /** Counts what another one counted as well. */
  add(other: Meter): void {
    for (const count of COUNTS) this[count] += other[count];
    this.#latency.add(other.#latency);
  }

  latency(): Latency {
    const histogram = this.#latency;
    if (this.settled === 0) return { mean: 0, p50: 0, p90: 0, p99: 0, max: 0 };
    const at = (percentile: number): number => histogram.percentile(percentile) / MICROS_PER_MS;
    return {
      mean: histogram.mean / MICROS_PER_MS,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      max: histogram.max / MICROS_PER_MS,
    };
  }
}
