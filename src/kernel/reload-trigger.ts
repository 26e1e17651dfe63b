/** When a change of a plugin's files becomes a reload. */
import type { ReloadOptions } from '../protocol/limits.ts';

export interface ReloadTriggerOptions extends Pick<ReloadOptions, 'strategy' | 'debounceMs'> {
  /** The plugin has no call now. */
  isIdle(): boolean;
  due(): void;
}

/** Whether a busy plugin has become idle is looked at that often (ms). */
const IDLE_LOOK_MS = 20;

export class ReloadTrigger {
  readonly #options: ReloadTriggerOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ReloadTriggerOptions) {
    this.#options = options;
  }

  changed(): void {
    const { strategy, debounceMs } = this.#options;
    if (strategy === 'immediate') this.#options.due();
    else if (strategy !== 'manual') this.#in(debounceMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Each change begins the wait anew; it keeps no process alive. */
  #in(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#options.strategy === 'idle' && !this.#options.isIdle()) this.#in(IDLE_LOOK_MS);
      else this.#options.due();
    }, delayMs).unref();
  }
}
