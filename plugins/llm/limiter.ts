/** Holds requests back: how many at once, how many a minute, how many tokens a minute. */
import { fullBucket, giveBack, reserve, type Bucket } from './bucket.ts';
import { LlmError } from './llm-error.ts';

export interface LimiterOptions {
  requestsAtOnce?: number | undefined;
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
  /** Who would wait longer is refused. */
  waitMsMax: number;
}

export interface Clock {
  now(): number;
  /** Rejects where the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

interface Entry {
  /** What the request is expected to use. */
  tokens: number;
  signal: AbortSignal;
  /** When waiting has no point any more (epoch ms). */
  deadline: number | undefined;
  /** It was sent before: how long a server may hold it back is for who tries again to say. */
  isRetry?: boolean;
}

/** A request that may go out; given back once, with what it really used. */
export interface Permit {
  giveBack(tokensUsed: number): void;
}

export class Limiter {
  readonly #options: LimiterOptions;
  readonly #clock: Clock;
  /** Who waits for one of `requestsAtOnce`, the first first. */
  readonly #queue: (() => void)[] = [];
  #inFlight = 0;
  #waiting = 0;
  #requests: Bucket | undefined;
  #tokens: Bucket | undefined;
  #heldUntil = 0;

  constructor(options: LimiterOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const now = clock.now();
    if (options.requestsPerMinute) this.#requests = fullBucket(options.requestsPerMinute, now);
    if (options.tokensPerMinute) this.#tokens = fullBucket(options.tokensPerMinute, now);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Whether somebody has to guess how many tokens a request uses. */
  get countsTokens(): boolean {
    return this.#tokens !== undefined;
  }

  /** No request goes out for so long: the server asked for it. */
  hold(ms: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#clock.now() + ms);
  }

  /** @throws LlmError `LLM_RATE_LIMITED` where it would wait too long; what aborted the signal. */
  async enter(entry: Entry): Promise<Permit> {
    this.#waiting++;
    try {
      await this.#slot(entry.signal);
      try {
        await this.#turn(entry);
      } catch (error) {
        this.#leave();
        throw error;
      }
    } finally {
      this.#waiting--;
    }
    let isGivenBack = false;
    return {
      giveBack: (tokensUsed) => {
        if (isGivenBack) return;
        isGivenBack = true;
        this.#refund(entry.tokens - tokensUsed, 0);
        this.#leave();
      },
    };
  }

  async #slot(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { requestsAtOnce = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#inFlight < requestsAtOnce) {
      this.#inFlight++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#queue.splice(this.#queue.indexOf(enter), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#queue.push(enter);
    });
  }

  /** The place of who leaves goes to the first who waits. */
  #leave(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#inFlight--;
  }

  async #turn(entry: Entry): Promise<void> {
    const { tokens, signal } = entry;
    let ownMs = this.#reserve(tokens, this.#clock.now());
    try {
      for (;;) {
        const heldMs = this.#heldUntil - this.#clock.now();
        const waitMs = Math.max(ownMs, heldMs);
        if (waitMs <= 0) return;
        this.#refuseIfTooLong(ownMs, heldMs, entry);
        await this.#clock.sleep(waitMs, signal);
        // while it slept the server may have asked for more
        ownMs = 0;
      }
    } catch (error) {
      this.#refund(tokens, 1);
      throw error;
    }
  }

  #refuseIfTooLong(ownMs: number, heldMs: number, { deadline, isRetry = false }: Entry): void {
    const { waitMsMax } = this.#options;
    const waitMs = Math.max(ownMs, heldMs);
    const isTooLate = deadline !== undefined && this.#clock.now() + waitMs > deadline;
    if ((isRetry ? ownMs : waitMs) <= waitMsMax && !isTooLate) return;
    const why = isTooLate
      ? 'the call has less time left'
      : `at most ${String(waitMsMax)} are waited`;
    const [whose, remedy] =
      heldMs > ownMs
        ? [', which the server asked for', 'rateLimitWaitMsMax']
        : ['', 'requestsPerMinute, tokensPerMinute or rateLimitWaitMsMax'];
    throw new LlmError(
      'LLM_RATE_LIMITED',
      `the request would wait ${String(Math.ceil(waitMs))} ms for its turn${whose}, and ${why}: ` +
        `ask less often, or raise ${remedy}`,
    );
  }

  #reserve(tokens: number, now: number): number {
    let waitMs = 0;
    if (this.#requests) {
      const taken = reserve(this.#requests, 1, now);
      this.#requests = taken.bucket;
      waitMs = taken.waitMs;
    }
    if (this.#tokens) {
      const taken = reserve(this.#tokens, tokens, now);
      this.#tokens = taken.bucket;
      waitMs = Math.max(waitMs, taken.waitMs);
    }
    return waitMs;
  }

  #refund(tokens: number, requests: number): void {
    if (this.#tokens) this.#tokens = giveBack(this.#tokens, tokens);
    if (this.#requests) this.#requests = giveBack(this.#requests, requests);
  }
}
