/** Looks at the load of a set at regular times, and lets the policy say how many there should be. */
import { LOAD_LOOK_MS, SPREAD_MS } from '../protocol/limits.ts';
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
  #restsUntil = 0;

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
    const soonestMs = Math.min(growAfterMs, shrinkAfterMs);
    const everyMs = Math.min(LOAD_LOOK_MS, Math.max(SPREAD_MS, soonestMs / 2));
    this.#timer ??= setInterval(() => {
      this.#look();
    }, everyMs).unref();
  }

  /** A replica did not come up: another one is not tried at once. */
  rest(): void {
    this.#restsUntil = performance.now() + this.#options.bounds.shrinkAfterMs;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#trend = {};
  }

  #look(): void {
    const now = performance.now();
    if (now < this.#restsUntil) return;
    const look = { ...this.#options.look(), now };
    const { to, trend } = decideScale(this.#options.bounds, look, this.#trend);
    this.#trend = trend;
    if (to !== look.replicas) this.#options.resize(to);
  }
}
