/** What an llm plugin is made with, asked and answers: the public types. */
import type { ExecuteOptions } from 'troupe';
import type { JsonSchema } from 'troupe/plugin';

import type { SpecOptions } from '../spec-options.ts';

/** Options of `llmPlugin`, beside the fields of a spec. */
export interface LlmOptions extends SpecOptions {
  /** Of an OpenAI-compatible server, up to `/v1`. Default: the environment's `OPENAI_BASE_URL`. */
  baseUrl?: string | undefined;
  /** Default: the environment variable `apiKeyEnv`, read inside the plugin. */
  apiKey?: string | undefined;
  /** Default `OPENAI_API_KEY`; of a provider `@ai-sdk/acme` it is `ACME_API_KEY`. */
  apiKeyEnv?: string | undefined;
  /** An installed AI SDK provider: a package's name, or a module's URL. Default: OpenAI-compatible. */
  provider?: string | URL | undefined;
  /** Further settings of the provider, as its documentation names them. They are kept secret. */
  settings?: Record<string, unknown> | undefined;
  /** Sent with every request. Their values are kept secret. */
  headers?: Record<string, string> | undefined;
  /** Default: the environment's `TROUPE_LLM_MODEL`. */
  model?: string | undefined;
  /** What `embed` asks. */
  embeddingModel?: string | undefined;
  /** Where a request has none of its own. */
  system?: string | undefined;
  temperature?: number | undefined;
  topP?: number | undefined;
  maxTokens?: number | undefined;
  stop?: string[] | undefined;
  seed?: number | undefined;
  /** Offered where a request does not say. Default: none. */
  tools?: LlmTools | undefined;
  /** Requests to the model in one call, tools in between. Default 10. */
  maxSteps?: number | undefined;
  /**
   * Longest run of a tool (ms); a confirmation that it waits for comes on top. Default: the tool's
   * own `timeoutMs` and 30,000 more, and at least 60,000.
   */
  toolTimeoutMs?: number | undefined;
  /** A longer result of a tool is cut. Default 100,000. */
  toolResultCharsMax?: number | undefined;
  /** One request (ms); of a stream until the server begins to answer. Default 120,000. */
  requestTimeoutMs?: number | undefined;
  /** Longest silence in a stream (ms). Default 60,000. */
  idleTimeoutMs?: number | undefined;
  /** A number is `max`. */
  retries?: number | Partial<RetryOptions> | undefined;
  /** Default: no limit. */
  requestsPerMinute?: number | undefined;
  /** Of prompt and completion together. Default: no limit. */
  tokensPerMinute?: number | undefined;
  /** Requests on their way at once. Default: as many as there are calls. */
  requestsAtOnce?: number | undefined;
  /** Who would wait longer for these limits (ms) is refused. Default 60,000. */
  rateLimitWaitMsMax?: number | undefined;
  /** Of one response. Default 33,554,432 (32 MiB). */
  responseBytesMax?: number | undefined;
  /** Asking again where an answer does not fit its schema. Default 1. */
  repairs?: number | undefined;
  /** False for servers that take no schema: it goes into the prompt. Default true. */
  structuredOutputs?: boolean | undefined;
  /** False for servers that refuse `stream_options`: streams then have no token counts. Default true. */
  streamUsage?: boolean | undefined;
  /** By model, for a million tokens; for `cost` in usage and stats. */
  prices?: Record<string, LlmPrice> | undefined;
}

export interface LlmPrice {
  prompt: number;
  completion?: number | undefined;
}

export interface RetryOptions {
  /** Beside the first try. Default 3. */
  max: number;
  /** Before the first retry, doubling then, each less up to a half by chance (ms). Default 500. */
  minMs: number;
  /** Default 20,000. */
  maxMs: number;
  /** A server that asks for a longer wait (`Retry-After`) is not asked again (ms). Default 60,000. */
  retryAfterMsMax: number;
}

/**
 * `all`: those of every running plugin of type tool. An id: those of that plugin. A capability:
 * those of every plugin of type tool that has it.
 */
export type LlmTools = 'all' | { capability: string } | readonly LlmToolSource[];

/**
 * An id, a capability, a plain plugin that is itself one tool, or a tool that the caller runs: then
 * the answer ends with its call.
 */
export type LlmToolSource =
  | string
  | { capability: string }
  | { plugin: string; description?: string | undefined; inputSchema?: JsonSchema | undefined }
  | { name: string; description?: string | undefined; inputSchema: JsonSchema };

export type LlmMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string | (LlmTextPart | LlmFilePart)[] }
  | { role: 'assistant'; content: string | (LlmTextPart | LlmReasoningPart | LlmToolCallPart)[] }
  | { role: 'tool'; content: LlmToolResultPart[] };

export interface LlmTextPart {
  type: 'text';
  text: string;
}

export interface LlmReasoningPart {
  type: 'reasoning';
  text: string;
}

export interface LlmFilePart {
  type: 'file';
  /** Bytes, base64, or a URL that the server fetches. */
  data: string | Uint8Array;
  /** As `image/png`. */
  mediaType: string;
}

export interface LlmToolCallPart {
  type: 'tool-call';
  toolCallId: string;
  toolName: string;
  input: unknown;
}

export interface LlmToolResultPart {
  type: 'tool-result';
  toolCallId: string;
  toolName: string;
  output: { type: 'text' | 'error-text'; value: string } | { type: 'json'; value: unknown };
}

/** Either `prompt` or `messages`. What is not given is as the plugin's options say. */
export interface LlmRequest {
  op?: 'chat' | undefined;
  prompt?: string | undefined;
  messages?: readonly LlmMessage[] | undefined;
  system?: string | undefined;
  model?: string | undefined;
  /** `[]`: none. */
  tools?: LlmTools | undefined;
  /** `required`: the first step calls one. Default `auto`. */
  toolChoice?: 'auto' | 'none' | 'required' | undefined;
  /** What the answer has to fit: it is in `object`. */
  schema?: JsonSchema | undefined;
  temperature?: number | undefined;
  topP?: number | undefined;
  maxTokens?: number | undefined;
  stop?: string[] | undefined;
  seed?: number | undefined;
  maxSteps?: number | undefined;
  /** Handed to the provider, by its name, as the AI SDK does. */
  providerOptions?: Record<string, Record<string, unknown>> | undefined;
}

export interface LlmEmbedRequest {
  op: 'embed';
  texts: readonly string[];
  model?: string | undefined;
}

export type LlmInput = string | readonly LlmMessage[] | LlmRequest | LlmEmbedRequest;

/** Tokens as the server counts them: 0 where it does not say. */
export interface LlmUsage {
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  /** By `prices`; there where the model has one. */
  cost?: number;
}

/** One call of a tool. With neither `result` nor `error` it is the caller's to run. */
export interface LlmToolCall {
  id: string;
  /** As the model knows it. */
  name: string;
  arguments: unknown;
  result?: unknown;
  /** What the model was told instead of a result. */
  error?: string;
}

export type LlmFinishReason =
  | 'stop'
  | 'length'
  | 'content-filter'
  | 'tool-calls'
  | 'error'
  | 'other';

export interface LlmAnswer {
  text: string;
  /** Of all steps. */
  usage: LlmUsage;
  /** Of all steps, in order. */
  toolCalls: LlmToolCall[];
  finishReason: LlmFinishReason;
  /** Requests to the model. */
  steps: number;
  /** What goes behind the request's messages to go on from here. */
  messages: LlmMessage[];
  model: string;
  /** Of a request with a `schema`; it fits. */
  object?: unknown;
  /** What the model said of its thinking, where it says it. */
  reasoning?: string;
}

export interface LlmVectors {
  /** One for each text, in order. */
  vectors: number[][];
  usage: LlmUsage;
  model: string;
}

/** What `execute` gives: of a text, of an object, of `embed`. */
export type LlmOutput = string | LlmAnswer | LlmVectors;

/** What a stream of an object gives. */
export type LlmPart =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  | { type: 'tool-call'; id: string; name: string; arguments: unknown }
  | { type: 'tool-result'; id: string; name: string; result: unknown }
  | { type: 'tool-error'; id: string; name: string; error: string }
  | { type: 'object'; object: unknown }
  | ({ type: 'finish' } & Omit<LlmAnswer, 'text' | 'reasoning' | 'object'>);

/** What an llm plugin tells in `stats().plugin`; counted since it was registered, over reloads. */
export interface LlmStats {
  requests: number;
  failures: number;
  retries: number;
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  cost: number;
  toolCalls: number;
  toolErrors: number;
  byModel: Record<string, LlmUsage & { requests: number; failures: number }>;
  /** Requests on their way now, and those that wait for a limit. */
  inFlight: number;
  waiting: number;
}

/** The methods of an llm plugin's handle. */
export interface LlmMethods {
  execute(input: string, options?: ExecuteOptions): Promise<string>;
  execute(input: LlmEmbedRequest, options?: ExecuteOptions): Promise<LlmVectors>;
  execute(input: LlmRequest | readonly LlmMessage[], options?: ExecuteOptions): Promise<LlmAnswer>;
  /** Tokens as they come. */
  stream(input: string, options?: ExecuteOptions): AsyncIterable<string>;
  stream(
    input: LlmRequest | readonly LlmMessage[],
    options?: ExecuteOptions,
  ): AsyncIterable<LlmPart>;
  /** The text of an answer. */
  complete(request: string | LlmRequest, options?: ExecuteOptions): Promise<string>;
  chat(
    request: string | readonly LlmMessage[] | LlmRequest,
    options?: ExecuteOptions,
  ): Promise<LlmAnswer>;
  /** The answer as a value that fits the schema. */
  object<T = unknown>(
    request: LlmRequest & { schema: JsonSchema },
    options?: ExecuteOptions,
  ): Promise<T>;
  /** The text of an answer, as it comes. */
  streamText(request: string | LlmRequest, options?: ExecuteOptions): AsyncIterable<string>;
  embed(texts: readonly string[], options?: ExecuteOptions): Promise<LlmVectors>;
}
