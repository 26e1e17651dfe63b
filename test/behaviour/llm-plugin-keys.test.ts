import process from 'node:process';

import { llmPlugin, type LlmOptions } from 'troupe/plugins';
import { describe, expect, it, onTestFinished } from 'vitest';

import { FAST_RETRIES, JSON_TYPE, startRaw, unusedUrl, type Llm } from '../support/llm.ts';
import { createManager } from '../support/manager.ts';
import { troubleOf } from '../support/outcomes.ts';

it.each([
  [undefined, 'OPENAI_API_KEY'],
  ['@ai-sdk/openai-compatible', 'OPENAI_API_KEY'],
  ['@ai-sdk/openai', 'OPENAI_API_KEY'],
  ['@ai-sdk/anthropic', 'ANTHROPIC_API_KEY'],
  ['@ai-sdk/google', 'GOOGLE_GENERATIVE_AI_API_KEY'],
  ['@ai-sdk/google-vertex', 'GOOGLE_VERTEX_API_KEY'],
  ['@ai-sdk/gateway', 'AI_GATEWAY_API_KEY'],
  ['@ai-sdk/amazon-bedrock', 'AWS_BEARER_TOKEN_BEDROCK'],
  ['@openrouter/ai-sdk-provider', 'OPENROUTER_API_KEY'],
  ['toString', 'TOSTRING_API_KEY'],
])('the key of the provider %s is read from %s', (provider, variable) => {
  expect(llmPlugin('llm_001', { provider }).permissions).toEqual({ env: [variable] });
});

describe('a provider by package', () => {
  it('has the key that its own variable has, and a wrong one is unauthorized', async () => {
    setVariable('AI_GATEWAY_API_KEY', 'key-of-the-gateway');
    const error = { message: 'no such key', type: 'authentication_error' };
    const server = await startRaw((response) => {
      response.writeHead(401, JSON_TYPE).end(JSON.stringify({ error }));
    });
    const llm = await runGateway(server.url);
    const { code, message } = await troubleOf(llm.execute('hello'));
    expect([code, message]).toEqual([
      'LLM_UNAUTHORIZED',
      expect.stringMatching(/answered with 401: is the key right/),
    ]);
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer key-of-the-gateway',
    ]);
  });

  it('without a key is not configured: the error names the variable, and so does health', async () => {
    setVariable('AI_GATEWAY_API_KEY', undefined);
    const server = await startRaw((response) => response.end('{}'));
    const llm = await runGateway(server.url);
    const { code, message } = await troubleOf(llm.execute('hello'));
    expect([code, message]).toEqual([
      'LLM_NOT_CONFIGURED',
      expect.stringMatching(/without a key: .*AI_GATEWAY_API_KEY.*apiKeyEnv.*apiKey/),
    ]);
    expect(server.asked).toEqual([]);
    expect(await llm.health()).toMatchObject({ healthy: false });
  });

  it('whose server is down is unreachable, and is asked again', async () => {
    const llm = await runGateway(await unusedUrl(), { apiKey: 'key-of-the-gateway' });
    expect(await troubleOf(llm.execute('hello'))).toEqual({
      code: 'LLM_UNREACHABLE',
      message: expect.stringMatching(/ECONNREFUSED.*tried 3 times/) as string,
    });
  });
});

async function runGateway(baseUrl: string, options: LlmOptions = {}): Promise<Llm> {
  const manager = createManager();
  const llm = await manager.register(
    llmPlugin('llm_001', {
      provider: '@ai-sdk/gateway',
      baseUrl,
      model: 'acme/gpt-test',
      retries: FAST_RETRIES,
      ...options,
    }),
  );
  await manager.up();
  return llm;
}

function setVariable(name: string, value: string | undefined): void {
  const before = process.env[name];
  const set = (to: string | undefined): void => {
    if (to === undefined) delete process.env[name];
    else process.env[name] = to;
  };
  set(value);
  onTestFinished(() => {
    set(before);
  });
}
