/** Servers of language models on this machine, and llm plugins that ask them. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { LLMock } from '@copilotkit/aimock';
import type { PluginManager, TypedHandle } from 'troupe';
import { llmPlugin } from 'troupe/plugins';
import type { LlmInput, LlmMethods, LlmOptions, LlmOutput } from 'troupe/plugins';
import { onTestFinished } from 'vitest';

import { httpHost, type HttpHost } from './http-host.ts';
import { createManager, fixture } from './manager.ts';

export type Llm = TypedHandle<LlmInput, LlmOutput, LlmMethods>;

export const KEY = 'sk-test-0123456789';

export const PARIS = 'Paris is the capital of France, as everybody knows.';

/** Retries that a test need not wait for. */
export const FAST_RETRIES = { max: 2, minMs: 1, maxMs: 2, retryAfterMsMax: 5_000 } as const;

/** A server that speaks the real wire format and answers as it is told. */
export async function startMock(): Promise<LLMock> {
  const mock = new LLMock({ port: 0, strict: true });
  await mock.start();
  onTestFinished(() => mock.stop());
  return mock;
}

/** One that knows the capital of France. */
export async function startGeographer(): Promise<LLMock> {
  const mock = await startMock();
  mock.onMessage(/France/, { content: PARIS });
  return mock;
}

/** Brings up `llm_001`, which asks the model `gpt-test` of that server. */
export async function runLlm(
  server: { url: string },
  options: LlmOptions = {},
  manager: PluginManager = createManager(),
): Promise<Llm> {
  const llm = await manager.register(
    llmPlugin('llm_001', {
      baseUrl: `${server.url}/v1`,
      apiKey: KEY,
      model: 'gpt-test',
      retries: FAST_RETRIES,
      ...options,
    }),
  );
  await manager.up();
  return llm;
}

/** Registers a plugin with tools: see `test/fixtures/toolsmith.mjs`. */
export async function addTools(
  manager: PluginManager,
  id = 'tools_001',
  options: { only?: string[]; capabilities?: string[] } = {},
): Promise<void> {
  const { only, capabilities = [] } = options;
  await manager.register({
    id,
    type: 'tool',
    entry: fixture('toolsmith.mjs'),
    concurrency: 8,
    capabilities,
    config: only ? { only } : {},
    restart: { backoff: { minMs: 0, maxMs: 0 } },
  });
}

/** A server that answers with bytes, also wrong ones. */
export async function startRaw(
  answer: (response: ServerResponse, request: IncomingMessage, at: number) => void,
): Promise<HttpHost> {
  const host = await httpHost((request, response) => {
    answer(response, request, host.asked.length - 1);
  });
  return host;
}

/** Of a port that nobody listens to. */
export async function unusedUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return `http://127.0.0.1:${String(port)}`;
}

/** A whole answer, as a server sends it. */
export function completion(content: string | null, fields: object = {}): string {
  const message = { role: 'assistant', content, ...fields };
  return JSON.stringify({
    id: 'c',
    created: 1,
    model: 'gpt-test',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  });
}

/** One piece of a streamed answer, as a server sends it. */
export function delta(content: string, finish: string | null = null): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: 'c', created: 1, model: 'gpt-test', choices })}\n\n`;
}

export const EVENTS = { 'content-type': 'text/event-stream' } as const;
export const JSON_TYPE = { 'content-type': 'application/json' } as const;
