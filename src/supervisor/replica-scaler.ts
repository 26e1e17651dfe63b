/** Looks at the load of a set at regular times, and lets the policy say how many there should be. */
import { LOAD_LOOK_MS } from '../protocol/limits.ts';
import type { ReplicaBounds } from '../protocol/manifest.ts';
import { decideScale, type LoadLook, type LoadTrend } from './replica-policy.ts';

export interface ScalerOptions {
  bounds: ReplicaBounds;
  look(): Omit<LoadLook, 'now'>;
  resize(to: number): void;
}

export class Scaler {
  readonly #options: ScalerOptions;
  #timer: NodeJS.Timeout | undefined;
  #trend: LoadTrend = {};

  constructor(options: ScalerOptions) {
    this.#options = options;
  }

  /** A set that is not up, or is not to change, is not looked at. */
  setActive(isActive: boolean): void {
    const { min, max, growAfterMs, shrinkAfterMs } = this.#options.bounds;
    if (!isActive || min === max) {
      this.close();
      return;
    }
    const everyMs = Math.min(LOAD_LOOK_MS, growAfterMs / 2, shrinkAfterMs / 2);
    this.#timer ??= setInterval(() => {
      this.#look();
    }, everyMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#trend = {};
  }

  #look(): void {
    const look = { ...this.#options.look(), now: performance.now() };
    const { to, trend } = decideScale(this.#options.bounds, look, this.#trend);
    this.#trend = trend;
    if (to !== look.replicas) this.#options.resize(to);
  }
}
