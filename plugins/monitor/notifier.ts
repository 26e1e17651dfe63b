/**
 * Tells alerts to plugins and webhooks. Each target has a line of its own: its alerts arrive in
 * their order, and one that hangs holds up nobody else. Nobody waits for it.
 */
import { messageOf } from '../coded-error.ts';
import type { Alert, NotifyTarget } from './types.ts';

/** Alerts that wait, for all targets together; later ones are dropped. */
export const WAITING_MAX = 1_000;
const TIMEOUT_MS = 5_000;
const RETRIES = 3;
const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 30_000;

export interface NotifyCounts {
  sent: number;
  failed: number;
  retried: number;
  dropped: number;
  waiting: number;
}

export interface NotifierOptions {
  /** Calls a plugin; within the time, or it rejects. */
  call(
    plugin: string,
    alert: Alert,
    options: { timeoutMs: number; signal: AbortSignal },
  ): Promise<unknown>;
  /** POSTs to a URL. */
  post(target: WebhookTarget, alert: Alert, signal: AbortSignal): Promise<void>;
  failed(what: string, alert: Alert): void;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export type WebhookTarget = Extract<NotifyTarget, { url: string }>;

/** An answer that trying again will not change. */
export class Refused extends Error {}

export class Notifier {
  readonly #options: NotifierOptions;
  readonly #lines = new Map<string, { target: NotifyTarget; alert: Alert }[]>();
  readonly #stop = new AbortController();
  readonly #counts = { sent: 0, failed: 0, retried: 0, dropped: 0 };
  #waiting = 0;
  #drained: (() => void) | undefined;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  get counts(): NotifyCounts {
    return { ...this.#counts, waiting: this.#waiting };
  }

  tell(targets: readonly NotifyTarget[], alert: Alert): void {
    for (const target of targets) {
      if (this.#waiting >= WAITING_MAX || this.#stop.signal.aborted) {
        this.#counts.dropped++;
        continue;
      }
      this.#waiting++;
      const name = lineOf(target);
      const line = this.#lines.get(name);
      if (line) line.push({ target, alert });
      else {
        const begun = [{ target, alert }];
        this.#lines.set(name, begun);
        void this.#work(name, begun);
      }
    }
  }

  /** What waits may still arrive for so long; then it is dropped, and what is on its way called off. */
  async close(drainMs = 0): Promise<void> {
    if (this.#waiting > 0 && drainMs > 0) {
      const over = new AbortController();
      const drained = new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
      await Promise.race([drained, this.#options.sleep(drainMs, over.signal)]);
      over.abort();
    }
    this.#stop.abort();
  }

  async #work(name: string, line: { target: NotifyTarget; alert: Alert }[]): Promise<void> {
    for (let next = line[0]; next; next = line[0]) {
      if (this.#stop.signal.aborted) this.#counts.dropped++;
      else await this.#send(next.target, next.alert);
      line.shift();
      this.#waiting--;
    }
    this.#lines.delete(name);
    if (this.#waiting === 0) this.#drained?.();
  }

  async #send(target: NotifyTarget, alert: Alert): Promise<void> {
    const { signal } = this.#stop;
    const tries = 1 + ('url' in target ? (target.retries ?? RETRIES) : 0);
    for (let tried = 1; ; tried++) {
      try {
        await this.#try(target, alert);
        this.#counts.sent++;
        return;
      } catch (error) {
        const isLast = tried >= tries || error instanceof Refused || signal.aborted;
        if (isLast) {
          this.#counts.failed++;
          const why = messageOf(error);
          this.#options.failed(`${shownTarget(target)}: ${why}`, alert);
          return;
        }
      }
      this.#counts.retried++;
      await this.#options.sleep(backoffMs(tried), signal);
    }
  }

  async #try(target: NotifyTarget, alert: Alert): Promise<void> {
    const timeoutMs = target.timeoutMs ?? TIMEOUT_MS;
    const { signal } = this.#stop;
    if ('plugin' in target) {
      await this.#options.call(target.plugin, alert, { timeoutMs, signal });
      return;
    }
    await this.#options.post(
      target,
      alert,
      AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    );
  }
}

/** Before the next try: 500 ms, doubling to 30 s. */
export function backoffMs(tried: number): number {
  return Math.min(BACKOFF_MIN_MS * 2 ** (tried - 1), BACKOFF_MAX_MS);
}

/** A URL's path and query may be a secret: only where it leads to is shown. */
export function shownTarget(target: NotifyTarget): string {
  return 'plugin' in target ? `the plugin ${target.plugin}` : `${new URL(target.url).origin}/…`;
}

function lineOf(target: NotifyTarget): string {
  return 'plugin' in target ? `plugin ${target.plugin}` : `url ${target.url}`;
}
