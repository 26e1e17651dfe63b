/** Sends one request: held back by the limiter, bounded in time, tried again where that may help. */
import type { LlmConfig } from './config.ts';
import { explain, type Scene } from './explain.ts';
import type { Clock, Limiter, Permit } from './limiter.ts';
import { LlmError } from './llm-error.ts';
import { retryDelayMs } from './retry.ts';
import type { Tally } from './tally.ts';

export interface SenderParts {
  config: Pick<LlmConfig, 'retries' | 'requestTimeoutMs' | 'idleTimeoutMs'>;
  limiter: Limiter;
  tally: Tally;
  clock: Clock;
  scene: Scene;
  random: () => number;
  warn(message: string, fields: Record<string, unknown>): void;
}

export interface Job<T> {
  model: string;
  /** Tokens it is expected to use. */
  tokens: number;
  signal: AbortSignal;
  /** Of the call it is sent for (epoch ms). */
  deadline: number | undefined;
  request(signal: AbortSignal): PromiseLike<T>;
  /** What has to go well, too, where an answer only begins with the request; in a time of its own. */
  proven?(answer: T): Promise<T>;
}

/** What was answered; the permit is still held. */
export interface Sent<T> {
  value: T;
  permit: Permit;
  /** Of the try that succeeded. */
  startedAt: number;
  /** Ends the exchange. */
  abort: (reason: Error) => void;
}

export class Sender {
  readonly parts: SenderParts;

  constructor(parts: SenderParts) {
    this.parts = parts;
  }

  /** @throws LlmError; the signal's reason where the call is given up */
  async send<T>(job: Job<T>): Promise<Sent<T>> {
    const { tally, limiter, clock, config } = this.parts;
    const { model, signal } = job;
    for (let retried = 0; ; retried++) {
      const permit = await limiter.enter({ ...job, isRetry: retried > 0 });
      const outcome = await this.#try(job, permit);
      if (!('failure' in outcome)) return outcome;
      permit.giveBack(0);
      signal.throwIfAborted();
      const { failure } = outcome;
      tally.failed(model, failure.code);
      const waitMs = retryDelayMs(failure, retried, config.retries, this.parts.random());
      if (waitMs === undefined || isTooLate(clock.now() + waitMs, job.deadline)) {
        throw withTries(failure, retried + 1);
      }
      this.parts.warn('a request is tried again', { model, code: failure.code, waitMs });
      tally.retried(model);
      // what is too much for the server is too much from everybody
      if (failure.code === 'LLM_RATE_LIMITED') limiter.hold(waitMs);
      else await clock.sleep(waitMs, signal);
    }
  }

  async #try<T>(job: Job<T>, permit: Permit): Promise<Sent<T> | { failure: LlmError }> {
    const { config, clock, scene } = this.parts;
    const ended = new AbortController();
    const timer = setTimeout(() => {
      ended.abort(
        new LlmError(
          'LLM_TIMEOUT',
          `${scene.endpoint} did not answer within ${String(config.requestTimeoutMs)} ms: ` +
            'ask for less, or raise requestTimeoutMs',
        ),
      );
    }, config.requestTimeoutMs);
    const startedAt = clock.now();
    try {
      const answer = await job.request(AbortSignal.any([job.signal, ended.signal]));
      clearTimeout(timer);
      return {
        value: job.proven ? await job.proven(answer) : answer,
        permit,
        startedAt,
        abort: (reason) => {
          ended.abort(reason);
        },
      };
    } catch (error) {
      const cause: unknown = ended.signal.aborted ? ended.signal.reason : error;
      const failure = explain(cause, job.model, scene);
      ended.abort(failure);
      return { failure };
    } finally {
      clearTimeout(timer);
    }
  }
}

function isTooLate(at: number, deadline: number | undefined): boolean {
  return deadline !== undefined && at > deadline;
}

function withTries(failure: LlmError, tries: number): LlmError {
  if (tries === 1) return failure;
  return new LlmError(failure.code, `${failure.message} (tried ${String(tries)} times)`);
}
