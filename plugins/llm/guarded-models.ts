/** Models whose requests go through a {@link Sender}, each made for one call of the plugin. */
import { distinctCalls } from './call-ids.ts';
import { begun } from './first-part.ts';
import type { Pace } from './pace.ts';
import type { ChatModel, EmbeddingModel } from './provider.ts';
import type { Job, Sender, Sent } from './sender.ts';
import type { StreamPart } from './stream-parts.ts';
import { watched } from './watched-stream.ts';

/** The call on whose behalf requests are sent. */
export interface OnBehalf {
  signal: AbortSignal;
  deadline: number | undefined;
  /** Of a stream: that of its reader. */
  pace?: Pace;
}

/** Roughly: a text has about four characters to a token. */
const CHARS_PER_TOKEN = 4;

export function guardChat(model: ChatModel, sender: Sender, call: OnBehalf): ChatModel {
  const { modelId } = model;
  type Options = Parameters<ChatModel['doGenerate']>[0];
  const jobFor = <T>(options: Options, ask: (options: Options) => PromiseLike<T>): Job<T> => ({
    model: modelId,
    tokens: expected(sender, [options.prompt, options.tools], options.maxOutputTokens),
    signal: options.abortSignal ?? call.signal,
    deadline: call.deadline,
    request: (abortSignal) => ask({ ...options, abortSignal }),
  });
  return {
    specificationVersion: 'v3',
    provider: model.provider,
    modelId,
    // what is named by a URL is fetched by the server: not from here, with what is reachable here
    supportedUrls: { '*/*': [/^https?:/] },
    async doGenerate(options) {
      const sent = await sender.send(jobFor(options, (asked) => model.doGenerate(asked)));
      const { inputTokens, outputTokens } = sent.value.usage;
      account(sender, sent, modelId, inputTokens.total, outputTokens.total);
      return { ...sent.value, content: sent.value.content.map(distinctCalls()) };
    },
    async doStream(options) {
      const job = jobFor(options, (asked) => model.doStream(asked));
      const { scene, config } = sender.parts;
      const silence = { scene, idleTimeoutMs: config.idleTimeoutMs };
      const sent = await sender.send({
        ...job,
        proven: async (answer) => ({
          ...answer,
          stream: await begun(answer.stream, silence, job.signal),
        }),
      });
      return { ...sent.value, stream: watchedStream(sender, sent, job, call.pace) };
    },
  };
}

export function guardEmbedding(
  model: EmbeddingModel,
  sender: Sender,
  call: OnBehalf,
): EmbeddingModel {
  const { modelId } = model;
  return {
    specificationVersion: 'v3',
    provider: model.provider,
    modelId,
    maxEmbeddingsPerCall: model.maxEmbeddingsPerCall,
    supportsParallelCalls: model.supportsParallelCalls,
    async doEmbed(options) {
      const sent = await sender.send({
        model: modelId,
        tokens: expected(sender, options.values, 0),
        signal: options.abortSignal ?? call.signal,
        deadline: call.deadline,
        request: (abortSignal) => model.doEmbed({ ...options, abortSignal }),
      });
      account(sender, sent, modelId, sent.value.usage?.tokens, 0);
      return sent.value;
    },
  };
}

function expected(sender: Sender, asked: unknown, completionTokens = 0): number {
  if (!sender.parts.limiter.countsTokens) return 0;
  return Math.ceil(JSON.stringify(asked).length / CHARS_PER_TOKEN) + completionTokens;
}

function account(
  sender: Sender,
  { permit, startedAt }: Sent<unknown>,
  model: string,
  promptTokens = 0,
  completionTokens = 0,
): void {
  const { tally, clock } = sender.parts;
  const usage = tally.usageOf(model, promptTokens, completionTokens);
  permit.giveBack(usage.totalTokens);
  tally.answered(model, usage, clock.now() - startedAt);
}

function watchedStream(
  sender: Sender,
  sent: Sent<{ stream: ReadableStream<StreamPart> }>,
  { model, signal }: Job<unknown>,
  pace: Pace | undefined,
): ReadableStream<StreamPart> {
  const { tally, clock, config, scene } = sender.parts;
  return watched(sent.value.stream, {
    model,
    scene,
    signal,
    turn: async () => pace?.turn(signal),
    idleTimeoutMs: config.idleTimeoutMs,
    abort: sent.abort,
    first: () => {
      tally.firstPart(model, clock.now() - sent.startedAt);
    },
    finished: ({ inputTokens, outputTokens }) => {
      account(sender, sent, model, inputTokens.total, outputTokens.total);
    },
    failed: ({ code }) => {
      sent.permit.giveBack(0);
      tally.failed(model, code);
    },
    leftAlone: () => {
      sent.permit.giveBack(0);
    },
  });
}
