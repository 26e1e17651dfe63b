/**
 * Counts what happens within a window of time. The window opens at an event (the first one after
 * the warm-up) and shuts at one (the first one at its end), so that calls that are slow against it
 * are counted right, too: the calls between two events, by the time between them.
 */
import { createHistogram } from 'node:perf_hooks';

const NS_PER_MS = 1e6;

export interface LatencyMs {
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

export interface MeterOptions {
  warmupMs: number;
  /** One of these two ends it, or whichever is reached first. */
  durationMs: number | undefined;
  calls: number | undefined;
  /** Called when counting begins, and when it ends. */
  onOpen?: () => void;
  onShut?: () => void;
}

export interface Count {
  windowMs: number;
  succeeded: number;
  chunks: number;
  /** By error code. */
  failures: Record<string, number>;
  /** Of the calls that succeeded; `undefined` without one. */
  latencyMs: LatencyMs | undefined;
}

export class Meter {
  readonly #options: MeterOptions;
  readonly #now: () => number;
  readonly #warmUntil: number;
  readonly #latencies = createHistogram();
  readonly #failures = new Map<string, number>();
  #phase: 'warming' | 'counting' | 'over' = 'warming';
  #openedAt = 0;
  #shutAt = 0;
  #succeeded = 0;
  #failed = 0;
  #chunks = 0;

  constructor(options: MeterOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
    const startedAt = now();
    this.#warmUntil = startedAt + options.warmupMs;
    if (options.warmupMs === 0) this.#open(startedAt);
  }

  get isOver(): boolean {
    return this.#phase === 'over';
  }

  get isCounting(): boolean {
    return this.#phase === 'counting';
  }

  /** A chunk of a stream came. */
  chunk(): void {
    const at = this.#now();
    if (this.#phase === 'counting') this.#chunks++;
    this.#event(at);
  }

  succeeded(sinceMs: number): void {
    const at = this.#now();
    if (this.#phase === 'counting') {
      this.#succeeded++;
      this.#latencies.record(Math.max(1, Math.round((at - sinceMs) * NS_PER_MS)));
    }
    this.#event(at);
  }

  failed(code: string): void {
    if (this.#phase === 'counting') {
      this.#failed++;
      this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
    }
    this.#event(this.#now());
  }

  /** Ends it before its time; what was counted until now stays. */
  stop(): void {
    if (this.#phase === 'counting') this.#shut(this.#now());
    this.#phase = 'over';
  }

  count(): Count {
    const { mean, max } = this.#latencies;
    const at = (percentile: number): number => this.#latencies.percentile(percentile) / NS_PER_MS;
    return {
      windowMs: this.#shutAt - this.#openedAt,
      succeeded: this.#succeeded,
      chunks: this.#chunks,
      failures: Object.fromEntries(this.#failures),
      latencyMs:
        this.#succeeded === 0
          ? undefined
          : { mean: mean / NS_PER_MS, p50: at(50), p90: at(90), p99: at(99), max: max / NS_PER_MS },
    };
  }

  #event(at: number): void {
    if (this.#phase === 'warming') {
      if (at >= this.#warmUntil) this.#open(at);
      return;
    }
    if (this.#phase === 'over') return;
    const { durationMs = Number.POSITIVE_INFINITY, calls = Number.POSITIVE_INFINITY } =
      this.#options;
    const isDone = this.#succeeded + this.#failed >= calls;
    if (!isDone && at - this.#openedAt < durationMs) return;
    this.#shut(at);
  }

  #shut(at: number): void {
    this.#shutAt = at;
    this.#phase = 'over';
    this.#options.onShut?.();
  }

  #open(at: number): void {
    this.#phase = 'counting';
    this.#openedAt = at;
    this.#options.onOpen?.();
  }
}
