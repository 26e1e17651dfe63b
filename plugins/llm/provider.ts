/** Who is asked: an OpenAI-compatible server, or a provider of the AI SDK by package name. */
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

import { createOpenAICompatible, type OpenAICompatibleProvider } from '@ai-sdk/openai-compatible';

import { messageOf } from '../coded-error.ts';
import type { LlmConfig } from './config.ts';
import { boundedFetch } from './http.ts';
import { LlmError } from './llm-error.ts';

export type ChatModel = ReturnType<OpenAICompatibleProvider['languageModel']>;
export type EmbeddingModel = ReturnType<OpenAICompatibleProvider['embeddingModel']>;

export interface Provider {
  languageModel(id: string): ChatModel;
  embeddingModel(id: string): EmbeddingModel;
}

/**
 * @param place where a module of the user's own is imported from: maybe what it was built to.
 * @throws LlmError `LLM_NOT_CONFIGURED`, `LLM_NO_PROVIDER`
 */
export async function loadProvider(
  config: LlmConfig,
  apiKey: string | undefined,
  place?: string,
): Promise<Provider> {
  const { provider, baseUrl, headers, settings } = config;
  const fetch = boundedFetch(config.responseBytesMax);
  const common = {
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(headers === undefined ? {} : { headers }),
    ...settings,
    fetch,
  };
  if (provider !== undefined && provider !== '@ai-sdk/openai-compatible') {
    const create = await factoryOf(provider, place);
    return checked(
      create({ ...common, ...(baseUrl === undefined ? {} : { baseURL: baseUrl }) }),
      provider,
    );
  }
  if (baseUrl === undefined) {
    throw new LlmError(
      'LLM_NOT_CONFIGURED',
      'there is no endpoint: give llmPlugin the option baseUrl, as http://localhost:11434/v1, or ' +
        'set the environment variable OPENAI_BASE_URL; a key goes into the option apiKey or into ' +
        `${config.apiKeyEnv}. Or name another provider, as provider: '@ai-sdk/anthropic'`,
    );
  }
  return createOpenAICompatible({
    name: 'openaiCompatible',
    includeUsage: config.streamUsage,
    supportsStructuredOutputs: config.structuredOutputs,
    ...common,
    baseURL: baseUrl,
  });
}

type Factory = (settings: Record<string, unknown>) => unknown;

/** The `createAcme` of a provider's module. */
async function factoryOf(provider: string, place: string | undefined): Promise<Factory> {
  const module = await (place === undefined ? importPackage(provider) : importOwn(provider, place));
  const factories = Object.entries(module).filter(
    (entry): entry is [string, Factory] =>
      /^create[A-Z]/.test(entry[0]) && typeof entry[1] === 'function',
  );
  const name = (provider.split('/').at(-1) ?? '').replace(/\.\w+$/, '');
  const wanted = `create${name.replaceAll(/\W/g, '')}`.toLowerCase();
  const own = factories.find(([exported]) => exported.toLowerCase() === wanted) ?? factories[0];
  if (own) return own[1];
  throw new LlmError(
    'LLM_NO_PROVIDER',
    `${provider} is no provider of the AI SDK: it exports no function create…`,
  );
}

async function importOwn(provider: string, place: string): Promise<Record<string, unknown>> {
  try {
    return (await import(place)) as Record<string, unknown>;
  } catch (error) {
    const message = `the provider ${provider} cannot be loaded: ${messageOf(error)}`;
    throw new LlmError('LLM_NO_PROVIDER', message, { cause: error });
  }
}

async function importPackage(provider: string): Promise<Record<string, unknown>> {
  for (const place of placesOf(provider)) {
    try {
      return (await import(place)) as Record<string, unknown>;
    } catch (error) {
      if (!isMissing(error, provider)) throw error;
    }
  }
  throw new LlmError(
    'LLM_NO_PROVIDER',
    `the provider ${provider} is not installed: npm install ${provider}`,
  );
}

/** Installed beside this package, or where the program runs. */
function* placesOf(provider: string): Iterable<string> {
  yield provider;
  try {
    const require = createRequire(path.join(process.cwd(), 'package.json'));
    yield pathToFileURL(require.resolve(provider)).href;
  } catch {
    // not there either
  }
}

/** It itself is not there; something that it needs is another matter. */
function isMissing(error: unknown, provider: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const isNotFound = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND';
  return isNotFound && error.message.includes(provider);
}

function checked(made: unknown, provider: string): Provider {
  if (hasModels(made)) return made;
  throw new LlmError('LLM_NO_PROVIDER', `${provider} is no provider of the AI SDK 6`);
}

/** Providers are functions with methods. */
function hasModels(made: unknown): made is Provider {
  return (
    made !== null &&
    (typeof made === 'object' || typeof made === 'function') &&
    'languageModel' in made &&
    typeof made.languageModel === 'function'
  );
}
