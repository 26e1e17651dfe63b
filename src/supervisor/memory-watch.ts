/**
 * Watches what a thread holds from outside, and says when that is over its soft limit with the
 * garbage collected. It asks nothing of a thread that sleeps, and never waits for one that works.
 */
import { MEMORY_LOOK_MS_MAX } from '../protocol/limits.ts';
import {
  heldBytes,
  limitBytesOf,
  mayHaveReached,
  nextLookMs,
  restingMarkBytes,
  restMs,
  type MemoryReading,
} from './memory-rules.ts';

/** How a thread is looked into; `undefined`: it cannot be known now. */
export interface MemoryProbe {
  read(): Promise<MemoryReading | undefined>;
  /** The same after its garbage was collected, even while it is inside a loop. */
  readLive(): Promise<MemoryReading | undefined>;
  close(): void;
}

export interface MemoryWatchOptions {
  memoryMb: number;
  probe: MemoryProbe;
  /** How long the thread's event loop has slept since its start (ms). */
  idleMs(): number;
  /** It answers nothing, for a reason that is not its own. */
  standsStill(): boolean;
  /** Told once, at most; then it watches no more. */
  over(reading: MemoryReading, limitBytes: number): void;
  /** Default `performance.now`. */
  now?: () => number;
}

export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  readonly #limitBytes: number;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #heldBytes = 0;
  #activeAtReading = 0;
  #activeAtLook = 0;
  #restUntil = -Infinity;
  #restingMark: number;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.#limitBytes = limitBytesOf(options.memoryMb);
    this.#restingMark = this.#limitBytes;
    this.#now = options.now ?? (() => performance.now());
    this.#lookIn(0);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#options.probe.close();
  }

  #lookIn(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      void this.#look();
    }, delayMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const active = this.#activeMs();
    const activeMs = active - this.#activeAtReading;
    const limit = this.#threshold();
    if (mayHaveReached(this.#heldBytes, activeMs, limit)) {
      this.#activeAtReading = active;
      const reading = await this.#options.probe.read();
      if (reading) this.#heldBytes = heldBytes(reading);
      if (reading && this.#heldBytes >= limit && !this.#stopped) await this.#judge(reading);
    }
    const sinceReading = this.#activeMs() - this.#activeAtReading;
    const slept = active - this.#activeAtLook < 1;
    this.#activeAtLook = active;
    // all that sleep are looked at in the same turn: waking up is what costs
    const untilAllMs = MEMORY_LOOK_MS_MAX - (Math.ceil(this.#now()) % MEMORY_LOOK_MS_MAX);
    const soonMs = nextLookMs(this.#heldBytes, sinceReading, this.#threshold());
    this.#lookIn(slept ? untilAllMs : soonMs);
  }

  /** What it holds may be garbage that V8 has not collected yet. */
  async #judge(reading: MemoryReading): Promise<void> {
    const before = this.#now();
    const stoodStill = this.#options.standsStill();
    const live = await this.#options.probe.readLive();
    if (this.#stopped) return;
    const isExcused = stoodStill || this.#options.standsStill();
    const tookMs = this.#now() - before;
    const young = restingMarkBytes(this.#limitBytes, this.#limitBytes);
    // who does not answer is judged by what was seen, where no young garbage explains that
    const known = live ?? (!isExcused && heldBytes(reading) >= young ? reading : undefined);
    if (known && heldBytes(known) >= this.#limitBytes) {
      this.stop();
      this.#options.over(known, this.#limitBytes);
      return;
    }
    if (live) this.#heldBytes = heldBytes(live);
    this.#activeAtReading = this.#activeMs();
    this.#restUntil = this.#now() + restMs(tookMs);
    this.#restingMark = restingMarkBytes(this.#heldBytes, this.#limitBytes);
  }

  #threshold(): number {
    return this.#now() < this.#restUntil ? this.#restingMark : this.#limitBytes;
  }

  #activeMs(): number {
    return this.#now() - this.#options.idleMs();
  }
}
