/** Counts what was asked and used, for stats and metrics. */
import type { PluginContext } from 'troupe/plugin';

import type { LlmErrorCode } from './llm-error.ts';
import type { LlmPrice, LlmStats, LlmUsage } from './types.ts';

/** Callers name models: beyond so many, all others are counted as one. */
const MODELS_MAX = 100;
const OTHER_MODELS = 'other models';

/** What says something about the server: a request it does not take says that it lives. */
const OF_THE_SERVER: ReadonlySet<LlmErrorCode> = new Set([
  'LLM_UNREACHABLE',
  'LLM_TIMEOUT',
  'LLM_UNAUTHORIZED',
  // without a key nobody is asked
  'LLM_NOT_CONFIGURED',
  'LLM_RATE_LIMITED',
  'LLM_SERVER_ERROR',
  'LLM_BAD_RESPONSE',
  'LLM_DISCONNECTED',
]);

const TOKENS_PER_PRICE = 1_000_000;

export type Counts = Omit<LlmStats, 'inFlight' | 'waiting'>;

export class Tally {
  readonly #metrics: PluginContext['metrics'];
  readonly #prices: Readonly<Record<string, LlmPrice>>;
  #counts: Counts = {
    requests: 0,
    failures: 0,
    retries: 0,
    promptTokens: 0,
    completionTokens: 0,
    totalTokens: 0,
    cost: 0,
    toolCalls: 0,
    toolErrors: 0,
    byModel: {},
  };
  /** Since the last answer. */
  #failuresInRow = 0;
  #lastFailure: LlmErrorCode | undefined;

  constructor(metrics: PluginContext['metrics'], prices: Readonly<Record<string, LlmPrice>> = {}) {
    this.#metrics = metrics;
    this.#prices = prices;
  }

  get counts(): Counts {
    return this.#counts;
  }

  /** Of the version before. */
  restore(counts: Counts): void {
    this.#counts = counts;
  }

  get health(): { failuresInRow: number; lastFailure: LlmErrorCode | undefined } {
    return { failuresInRow: this.#failuresInRow, lastFailure: this.#lastFailure };
  }

  answered(model: string, usage: LlmUsage, tookMs: number): void {
    this.#failuresInRow = 0;
    const { promptTokens, completionTokens, totalTokens, cost = 0 } = usage;
    for (const counts of [this.#counts, this.#of(model)]) {
      counts.requests++;
      counts.promptTokens += promptTokens;
      counts.completionTokens += completionTokens;
      counts.totalTokens += totalTokens;
      counts.cost = (counts.cost ?? 0) + cost;
    }
    this.#metrics.counter('llm_requests_total', { model, outcome: 'ok' }).add();
    this.#metrics.counter('llm_tokens_total', { model, kind: 'prompt' }).add(promptTokens);
    this.#metrics.counter('llm_tokens_total', { model, kind: 'completion' }).add(completionTokens);
    this.#metrics.histogram('llm_request_ms', { model }).record(tookMs);
    if (cost > 0) this.#metrics.counter('llm_cost_total', { model }).add(cost);
  }

  /** Of a stream: until its first part. */
  firstPart(model: string, tookMs: number): void {
    this.#metrics.histogram('llm_first_part_ms', { model }).record(tookMs);
  }

  failed(model: string, code: LlmErrorCode): void {
    if (OF_THE_SERVER.has(code)) {
      this.#failuresInRow++;
      this.#lastFailure = code;
    }
    for (const counts of [this.#counts, this.#of(model)]) {
      counts.requests++;
      counts.failures++;
    }
    this.#metrics.counter('llm_requests_total', { model, outcome: code }).add();
  }

  retried(model: string): void {
    this.#counts.retries++;
    this.#metrics.counter('llm_retries_total', { model }).add();
  }

  toolCalled(plugin: string, isError: boolean): void {
    this.#counts.toolCalls++;
    if (isError) this.#counts.toolErrors++;
    const outcome = isError ? 'error' : 'ok';
    this.#metrics.counter('llm_tool_calls_total', { plugin, outcome }).add();
  }

  /** Tokens with their cost, where the model has a price. */
  usageOf(model: string, promptTokens: number, completionTokens: number): LlmUsage {
    const usage = { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens };
    const price = Object.hasOwn(this.#prices, model) ? this.#prices[model] : undefined;
    if (!price) return usage;
    const cost = promptTokens * price.prompt + completionTokens * (price.completion ?? 0);
    return { ...usage, cost: cost / TOKENS_PER_PRICE };
  }

  #of(named: string): Counts['byModel'][string] {
    const { byModel } = this.#counts;
    const isFull = Object.keys(byModel).length >= MODELS_MAX;
    const model = isFull && !Object.hasOwn(byModel, named) ? OTHER_MODELS : named;
    if (!Object.hasOwn(byModel, model)) {
      const none = { promptTokens: 0, completionTokens: 0, totalTokens: 0 };
      // assigned, a model of the name `__proto__` would be none
      Object.defineProperty(byModel, model, {
        value: { requests: 0, failures: 0, ...none },
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
    return byModel[model] as Counts['byModel'][string];
  }
}
