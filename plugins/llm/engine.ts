/** The llm plugin at work. Everything heavy is imported from here: the plugin imports this late. */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

import { embedMany } from 'ai';
import type { Call, PluginContext } from 'troupe/plugin';

import { createMask } from '../mask.ts';
import type { ChatCall } from './chat-call.ts';
import { complete } from './complete.ts';
import { CONFIG, type LlmConfig } from './config.ts';
import { explain, type Scene } from './explain.ts';
import { guardChat, guardEmbedding, type OnBehalf } from './guarded-models.ts';
import { decodeInput, type Asked, type ChatRequest } from './input.ts';
import { Limiter, type Clock } from './limiter.ts';
import { LlmError } from './llm-error.ts';
import { ObjectSchemas } from './object-schema.ts';
import { Pace } from './pace.ts';
import { loadProvider, type Provider } from './provider.ts';
import { Sender } from './sender.ts';
import { streamChat } from './stream-chat.ts';
import { Tally, type Counts } from './tally.ts';
import { Toolbox } from './toolbox.ts';
import type { LlmAnswer, LlmEmbedRequest, LlmPart, LlmStats, LlmVectors } from './types.ts';

/** In a row, by the server's fault: then the plugin says that it is not healthy. */
const FAILURES_MAX = 5;

const CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

export class Engine {
  readonly #config: LlmConfig;
  readonly #provider: Provider;
  readonly #scene: Scene;
  readonly #limiter: Limiter;
  readonly #tally: Tally;
  readonly #sender: Sender;
  readonly #toolbox: Toolbox;
  readonly #schemas = new ObjectSchemas();

  /** @throws LlmError where the options do not say enough, or what they say is not there. */
  static async create(ctx: PluginContext): Promise<Engine> {
    const config = CONFIG.parse(ctx.config);
    const given = config.apiKey ?? process.env[config.apiKeyEnv];
    const apiKey = given === '' ? undefined : given;
    const provider = await loadProvider(config, apiKey, ctx.modules['provider']);
    if (config.model === undefined && config.embeddingModel === undefined) {
      throw new LlmError(
        'LLM_NOT_CONFIGURED',
        'there is no model: give llmPlugin the option model or embeddingModel, or set the ' +
          'environment variable TROUPE_LLM_MODEL',
      );
    }
    const engine = new Engine(ctx, config, provider, apiKey);
    engine.#checkModels();
    return engine;
  }

  constructor(
    ctx: PluginContext,
    config: LlmConfig,
    provider: Provider,
    apiKey: string | undefined,
  ) {
    // the SDK would print to the console
    Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
    this.#config = config;
    this.#provider = provider;
    this.#scene = {
      endpoint: config.baseUrl ?? config.provider ?? 'the server',
      masked: createMask([apiKey, config.headers, config.settings]),
      now: () => Date.now(),
      keyName: config.apiKeyEnv,
      hasKey: apiKey !== undefined,
    };
    this.#limiter = new Limiter({ ...config, waitMsMax: config.rateLimitWaitMsMax }, CLOCK);
    this.#tally = new Tally(ctx.metrics, config.prices);
    this.#sender = new Sender({
      config,
      limiter: this.#limiter,
      tally: this.#tally,
      clock: CLOCK,
      scene: this.#scene,
      random: Math.random,
      warn: (message, fields) => {
        ctx.log.warn(message, fields);
      },
    });
    this.#toolbox = new Toolbox({ ctx, config, tally: this.#tally });
  }

  execute(input: unknown, call: Call): Promise<unknown> | AsyncGenerator {
    const asked = decodeInput(input);
    if (asked.kind === 'embed') return this.#embed(asked.request, call);
    return call.isStream ? this.#stream(asked, call) : this.#answer(asked, call);
  }

  get stats(): LlmStats {
    const { inFlight, waiting } = this.#limiter;
    return { ...this.#tally.counts, inFlight, waiting };
  }

  get health(): { healthy: boolean; reason?: string } {
    const { failuresInRow, lastFailure } = this.#tally.health;
    // a wrong key does not become right by itself
    const isBad =
      failuresInRow >= FAILURES_MAX ||
      (failuresInRow > 0 &&
        (lastFailure === 'LLM_UNAUTHORIZED' || lastFailure === 'LLM_NOT_CONFIGURED'));
    if (!isBad) return { healthy: true };
    return {
      healthy: false,
      reason: `the last ${String(failuresInRow)} requests failed: ${lastFailure ?? ''}`,
    };
  }

  get counts(): Counts {
    return this.#tally.counts;
  }

  restore(counts: Counts): void {
    this.#tally.restore(counts);
  }

  async #answer(
    asked: Extract<Asked, { request: ChatRequest }>,
    call: OnBehalf,
  ): Promise<string | LlmAnswer> {
    try {
      const answer = await complete(await this.#chat(asked.request, call));
      return asked.kind === 'text' ? answer.text : answer;
    } catch (error) {
      throw this.#explained(error, asked.request.model ?? this.#config.model, call);
    }
  }

  async *#stream(
    asked: Extract<Asked, { request: ChatRequest }>,
    call: OnBehalf,
  ): AsyncGenerator<string | LlmPart> {
    const pace = new Pace();
    try {
      const { signal, deadline } = call;
      const chat = await this.#chat(asked.request, { signal, deadline, pace });
      for await (const part of streamChat(chat, pace)) {
        if (asked.kind === 'chat') yield part;
        else if (part.type === 'text') yield part.text;
      }
    } catch (error) {
      throw this.#explained(error, asked.request.model ?? this.#config.model, call);
    }
  }

  async #chat(request: ChatRequest, call: OnBehalf): Promise<ChatCall> {
    const id = request.model ?? this.#config.model;
    if (id === undefined) throw missing('model');
    const fitting = request.schema && this.#schemas.fitting(request.schema);
    const tools = await this.#toolbox.offer(request.tools ?? this.#config.tools, call);
    const model = guardChat(this.#chatModel(id), this.#sender, call);
    return {
      request,
      config: this.#config,
      model,
      tools,
      fitting,
      call,
      usageOf: (prompt, completion) => this.#tally.usageOf(id, prompt, completion),
    };
  }

  async #embed({ texts, model }: LlmEmbedRequest, call: OnBehalf): Promise<LlmVectors> {
    const id = model ?? this.#config.embeddingModel;
    if (id === undefined) throw missing('embeddingModel');
    if (texts.length === 0) return { vectors: [], usage: this.#tally.usageOf(id, 0, 0), model: id };
    try {
      const { embeddings, usage } = await embedMany({
        model: guardEmbedding(this.#embeddingModel(id), this.#sender, call),
        values: [...texts],
        maxRetries: 0,
        abortSignal: call.signal,
      });
      if (embeddings.length !== texts.length) {
        throw new LlmError(
          'LLM_BAD_RESPONSE',
          `${this.#scene.endpoint} gave ${String(embeddings.length)} vectors for ${String(texts.length)} texts`,
        );
      }
      return {
        vectors: embeddings,
        usage: this.#tally.usageOf(id, usage.tokens || 0, 0),
        model: id,
      };
    } catch (error) {
      throw this.#explained(error, id, call);
    }
  }

  /** A call that was given up is nobody's failure. */
  #explained(error: unknown, model: string | undefined, { signal }: OnBehalf): unknown {
    if (signal.aborted) return signal.reason;
    return explain(error, model ?? '', this.#scene);
  }

  /** Providers of the AI SDK may know their models, and say so before anything is asked. */
  #checkModels(): void {
    const { model, embeddingModel } = this.#config;
    if (model !== undefined) this.#chatModel(model);
    if (embeddingModel !== undefined) this.#embeddingModel(embeddingModel);
  }

  #chatModel(id: string) {
    return this.#made(id, () => this.#provider.languageModel(id));
  }

  #embeddingModel(id: string) {
    return this.#made(id, () => this.#provider.embeddingModel(id));
  }

  #made<T extends { specificationVersion: string }>(id: string, make: () => T): T {
    let model: T;
    try {
      model = make();
    } catch (error) {
      throw explain(error, id, this.#scene);
    }
    if (model.specificationVersion === 'v3') return model;
    throw new LlmError(
      'LLM_NO_PROVIDER',
      `${this.#scene.endpoint} speaks version ${model.specificationVersion} of the AI SDK's ` +
        'interface, not v3: install a version of it that is made for AI SDK 6',
    );
  }
}

function missing(option: 'model' | 'embeddingModel'): LlmError {
  return new LlmError(
    'LLM_NOT_CONFIGURED',
    `there is no model to ask: name one in the request, or give llmPlugin the option ${option}`,
  );
}
