/** Servers of language models on this machine, and llm plugins that ask them. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { LLMock } from '@copilotkit/aimock';
import type { PluginManager, TypedHandle } from 'troupe';
import { llmPlugin } from 'troupe/plugins';
import type { LlmInput, LlmMethods, LlmOptions, LlmOutput } from 'troupe/plugins';
import { onTestFinished } from 'vitest';

import { createManager, fixture } from './manager.ts';

export type Llm = TypedHandle<LlmInput, LlmOutput, LlmMethods>;

export const KEY = 'sk-test-0123456789';

/** Retries that a test need not wait for. */
export const FAST_RETRIES = { max: 2, minMs: 1, maxMs: 2, retryAfterMsMax: 5_000 } as const;

/** A server that speaks the real wire format and answers as it is told. */
export async function startMock(): Promise<LLMock> {
  const mock = new LLMock({ port: 0, strict: true });
  await mock.start();
  onTestFinished(() => mock.stop());
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

export interface RawServer {
  url: string;
  /** What was asked, in order. */
  readonly requests: { url: string; headers: IncomingMessage['headers']; body: string }[];
  /** Exchanges that the other side ended before they were done. */
  readonly brokenOff: number;
}

/** A server that answers with bytes, also wrong ones. */
export async function startRaw(
  answer: (response: ServerResponse, request: IncomingMessage, at: number) => void,
): Promise<RawServer> {
  const seen = { requests: [] as RawServer['requests'], brokenOff: 0, url: '' };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      seen.requests.push({ url: request.url ?? '', headers: request.headers, body });
      answer(response, request, seen.requests.length - 1);
    });
    response.on('close', () => {
      if (!response.writableFinished) seen.brokenOff++;
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  seen.url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return seen;
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
