/** The factory of llm plugins: `llmPlugin(id, options)` is a spec for `manager.register`. */
import process from 'node:process';

import { typedSpec, type ExecuteOptions, type PluginHandle } from 'troupe';
import type { TypedSpec } from 'troupe';

import { invalidOptions, splitOptions, type SpecOptions } from '../spec-options.ts';
import { problemsOf } from '../zod-problems.ts';
import { CONFIG, type LlmConfig } from './config.ts';
import { keyNameOf } from './key-names.ts';
import type { LlmInput, LlmMethods, LlmOptions, LlmOutput, LlmPart, LlmRequest } from './types.ts';

/** Calls it may be inside of at once: they mostly wait for the server. */
const CONCURRENCY = 16;

/** What makes an endpoint of a URL alone. */
const COMPATIBLE = '@ai-sdk/openai-compatible';

/**
 * A plugin that asks a language model: any OpenAI-compatible server, or any provider of the AI SDK.
 * A string in gives a string out; objects say more. The server's URL, the model and the key may
 * come from the environment: `OPENAI_BASE_URL`, `TROUPE_LLM_MODEL`, `OPENAI_API_KEY`.
 *
 * @throws PluginError `INVALID_SPEC` for a wrong option, which is named.
 *
 * @example
 * const llm = await manager.register(llmPlugin('llm_001', { baseUrl, model: 'qwen3' }));
 * await manager.up();
 * const answer = await llm.execute('What is the capital of France?');
 */
export function llmPlugin(
  id: string,
  options: LlmOptions = {},
): TypedSpec<LlmInput, LlmOutput, LlmMethods> {
  const { spec, own } = splitOptions(options);
  const config = configOf(id, own);
  const secrets = (['apiKey', 'headers', 'settings'] as const).filter(
    (name) => config[name] !== undefined,
  );
  return typedSpec(
    {
      concurrency: CONCURRENCY,
      name: 'LLM',
      description: 'Asks a language model.',
      ...spec,
      id,
      type: 'llm',
      entry: new URL('plugin.js', import.meta.url),
      modules: modulesOf(config),
      capabilities: capabilitiesOf(config),
      config,
      secrets,
      permissions: {
        ...spec.permissions,
        env: [...new Set([...(spec.permissions?.env ?? []), config.apiKeyEnv])],
      },
    },
    methodsOf,
  );
}

function modulesOf({ provider }: { provider?: string | undefined }): Record<string, string> {
  return provider !== undefined && /^(file|data):/.test(provider) ? { provider } : {};
}

/** Where the environment says what the options do not, it is read here: only the key is secret. */
function configOf(id: string, own: Omit<LlmOptions, keyof SpecOptions>) {
  const provider = own.provider === undefined ? undefined : String(own.provider);
  const isCompatible = provider === undefined || provider === COMPATIBLE;
  const baseUrl = own.baseUrl ?? (isCompatible ? fromEnvironment('OPENAI_BASE_URL') : undefined);
  const parsed = CONFIG.safeParse({
    ...own,
    baseUrl,
    model: own.model ?? fromEnvironment('TROUPE_LLM_MODEL'),
    apiKeyEnv: own.apiKeyEnv ?? keyNameOf(provider ?? COMPATIBLE),
    provider,
  });
  if (parsed.success) return definedOf(parsed.data);
  throw invalidOptions(id, problemsOf(parsed.error));
}

function fromEnvironment(name: string): string | undefined {
  const value = process.env[name];
  // set to nothing is not set
  return value === '' ? undefined : value;
}

function definedOf(config: LlmConfig): LlmConfig {
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined),
  ) as LlmConfig;
}

function capabilitiesOf({ model, embeddingModel, tools }: LlmConfig): string[] {
  return [
    ...(model === undefined ? [] : ['chat', 'stream', 'structured-output']),
    ...(embeddingModel === undefined ? [] : ['embed']),
    ...(tools === undefined ? [] : ['tools']),
  ];
}

function methodsOf(plugin: PluginHandle<LlmInput, LlmOutput>): LlmMethods {
  // taken now, as the methods take their places on the handle; they need no `this`
  // oxlint-disable-next-line typescript/unbound-method
  const execute = plugin.execute as (input: LlmInput, options?: ExecuteOptions) => Promise<never>;
  // oxlint-disable-next-line typescript/unbound-method
  const stream = plugin.stream as (
    input: LlmInput,
    options?: ExecuteOptions,
  ) => AsyncIterable<never>;
  const chat: LlmMethods['chat'] = (request, options) =>
    execute(typeof request === 'string' ? { prompt: request } : request, options);
  return {
    execute,
    stream,
    chat,
    complete: async (request, options) => (await chat(request, options)).text,
    object: async <T>(request: LlmRequest, options?: ExecuteOptions) =>
      (await chat(request, options)).object as T,
    streamText: (request, options) =>
      typeof request === 'string' ? stream(request, options) : textOf(stream(request, options)),
    embed: (texts, options) => execute({ op: 'embed', texts }, options),
  };
}

async function* textOf(parts: AsyncIterable<LlmPart>): AsyncGenerator<string> {
  for await (const part of parts) if (part.type === 'text') yield part.text;
}
