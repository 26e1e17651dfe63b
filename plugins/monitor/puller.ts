/** Asks for the stats of all plugins, each interval; never twice at a time. */
import type { PluginStats } from 'troupe/plugin';

/** Without an answer for so many intervals, and so long, it is not healthy. */
const INTERVALS_SILENT_MAX = 5;
const SILENT_MS_MAX = 10_000;

export interface PullerOptions {
  intervalMs: number;
  now: () => number;
  pull: () => Promise<ReadonlyMap<string, PluginStats>>;
  pulled: (all: ReadonlyMap<string, PluginStats>) => void;
  /** After each pull; and each interval while one takes longer than that. */
  look: () => void;
  failed: (error: unknown) => void;
}

export interface PullCounts {
  done: number;
  failed: number;
  /** Intervals in which the pull before was not done. */
  skipped: number;
  lastMs: number;
}

export class Puller {
  readonly counts: PullCounts = { done: 0, failed: 0, skipped: 0, lastMs: 0 };
  readonly #options: PullerOptions;
  #timer: NodeJS.Timeout | undefined;
  #isPulling = false;
  #doneAt = 0;
  #hasFailed = false;

  constructor(options: PullerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#timer) return;
    const { intervalMs, now } = this.#options;
    this.#doneAt = now();
    this.#timer = setInterval(() => {
      this.#tick();
    }, intervalMs);
    this.#tick();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  health(): { healthy: boolean; lastPullMsAgo: number } {
    const { intervalMs, now } = this.#options;
    const lastPullMsAgo = now() - this.#doneAt;
    const patienceMs = Math.max(INTERVALS_SILENT_MAX * intervalMs, SILENT_MS_MAX);
    return { healthy: !this.#timer || lastPullMsAgo <= patienceMs, lastPullMsAgo };
  }

  #tick(): void {
    if (this.#isPulling) {
      this.counts.skipped++;
      this.#options.look();
    } else void this.#pull();
  }

  async #pull(): Promise<void> {
    const { now, pull, pulled, look, failed } = this.#options;
    const begunAt = now();
    this.#isPulling = true;
    try {
      const all = await pull();
      // a monitor that was stopped meanwhile looks at nothing
      if (this.#timer) pulled(all);
      this.#hasFailed = false;
      this.#doneAt = now();
      this.counts.done++;
    } catch (error) {
      this.counts.failed++;
      // said once, not at each interval
      if (!this.#hasFailed) failed(error);
      this.#hasFailed = true;
    } finally {
      this.#isPulling = false;
      this.counts.lastMs = now() - begunAt;
    }
    if (this.#timer) look();
  }
}
