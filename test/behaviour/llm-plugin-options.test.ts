import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';

import { llmPlugin, type LlmStats } from 'troupe/plugins';
import { describe, expect, it, onTestFinished } from 'vitest';

import { temporaryFolder } from '../support/files.ts';
import {
  JSON_TYPE,
  KEY,
  PARIS,
  completion,
  runLlm,
  startGeographer,
  startRaw,
} from '../support/llm.ts';
import { createManager, fixture } from '../support/manager.ts';
import { causeOf, failureOf } from '../support/outcomes.ts';

describe('where to ask', () => {
  it('may come from the environment, with the key', async () => {
    const mock = await startGeographer();
    const variables = {
      OPENAI_BASE_URL: `${mock.url}/v1`,
      OPENAI_API_KEY: 'sk-environment',
      TROUPE_LLM_MODEL: 'gpt-environment',
    };
    for (const [name, value] of Object.entries(variables)) {
      const before = process.env[name];
      process.env[name] = value;
      onTestFinished(() => {
        if (before === undefined) delete process.env[name];
        else process.env[name] = before;
      });
    }
    const manager = createManager();
    const llm = await manager.register(llmPlugin('llm_001'));
    await manager.up();
    expect(await llm.execute('The capital of France?')).toBe(PARIS);
    const { headers, body } = mock.getLastRequest() ?? {};
    expect(body).toMatchObject({ model: 'gpt-environment' });
    // the server's journal has it, but does not show it
    expect(headers?.['authorization']).toBe('[REDACTED]');
    expect((await llm.stats())?.plugin).toMatchObject({ byModel: { 'gpt-environment': {} } });
  });

  it('is asked for at init, by name, where it is nowhere', async () => {
    const manager = createManager();
    const llm = await manager.register(llmPlugin('llm_001', { model: 'm' }));
    await llm.load();
    const failure = await failureOf(llm.init());
    expect(failure.code).toBe('INIT_FAILED');
    expect(causeOf(failure)).toMatchObject({ code: 'LLM_NOT_CONFIGURED' });
    for (const name of ['baseUrl', 'OPENAI_BASE_URL', 'apiKey', 'OPENAI_API_KEY', 'provider']) {
      expect(failure.message).toContain(name);
    }
    const second = await manager.register(
      llmPlugin('llm_002', { baseUrl: 'http://127.0.0.1:1/v1' }),
    );
    await second.load();
    const unnamed = await failureOf(second.init());
    expect(unnamed.message).toMatch(/model.*TROUPE_LLM_MODEL/);
  });

  it('may be any provider of the AI SDK, by package or module', async () => {
    const mock = await startGeographer();
    const manager = createManager();
    const own = await manager.register(
      llmPlugin('own', {
        provider: fixture('llm-provider.mjs'),
        settings: { baseURL: `${mock.url}/v1` },
        model: 'gpt-own',
      }),
    );
    const compatible = await manager.register(
      llmPlugin('compatible', {
        provider: '@ai-sdk/openai-compatible',
        baseUrl: `${mock.url}/v1`,
        model: 'gpt-test',
      }),
    );
    await manager.up();
    expect(await own.execute('The capital of France?')).toBe(PARIS);
    expect(await compatible.execute('The capital of France?')).toBe(PARIS);
  });

  it('may be a provider that is installed where the program runs', async () => {
    const source = JSON.stringify(fixture('llm-provider.mjs').href);
    const main = `
      import { PluginManager } from ${JSON.stringify(import.meta.resolve('troupe'))};
      import { llmPlugin } from ${JSON.stringify(import.meta.resolve('troupe/plugins'))};
      const manager = new PluginManager('here');
      await manager.register(llmPlugin('llm_001', { provider: '@acme/models', model: 'gpt-own' }));
      await manager.up();
      console.log(manager.state('llm_001'));
      await manager.close();`;
    const folder = await temporaryFolder({
      'main.mjs': main,
      'node_modules/@acme/models/package.json': '{ "type": "module", "main": "index.js" }',
      'node_modules/@acme/models/index.js': `export { createAcme } from ${source};`,
    });
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['main.mjs'], { cwd: folder, timeout: 50_000 });
    expect(stdout).toBe('running\n');
  });

  it('is asked in a process of its own just so', async () => {
    const llm = await runLlm(await startGeographer(), { isolation: 'process' });
    expect(await llm.execute('The capital of France?')).toBe(PARIS);
  });

  it.each([
    ['@ai-sdk/not-installed', 'm', 'LLM_NO_PROVIDER', 'npm install @ai-sdk/not-installed'],
    ['zod', 'm', 'LLM_NO_PROVIDER', 'zod'],
    [fixture('llm-provider.mjs'), 'unknown', 'LLM_NO_MODEL', 'has no model unknown'],
    [fixture('llm-provider.mjs'), 'outdated', 'LLM_NO_PROVIDER', 'AI SDK 6'],
  ])(
    'is a clear error at init where it is not there: %s, %s',
    async (provider, model, code, said) => {
      const manager = createManager();
      const llm = await manager.register(llmPlugin('llm_001', { provider, model }));
      await llm.load();
      const failure = await failureOf(llm.init());
      expect(causeOf(failure)).toMatchObject({ code });
      expect(failure.message).toContain(said);
    },
  );
});

describe('a wrong option', () => {
  it.each([
    [{ baseUrl: 'localhost:11434' }, 'baseUrl'],
    [{ baseUrl: 'ftp://host/v1' }, 'baseUrl'],
    [{ baseUrl: 'http://me:password@host/v1' }, 'baseUrl'],
    [{ temperature: 'hot' }, 'temperature'],
    [{ maxSteps: 0 }, 'maxSteps'],
    [{ retries: { max: -1 } }, 'retries.max'],
    [{ tools: 'some' }, 'tools'],
    [{ requestsPerMinute: 0.5 }, 'requestsPerMinute'],
    [{ prices: { m: { promt: 1 } } }, 'prices'],
    [{ modle: 'm' }, 'modle'],
  ])('is refused by name: %j', (options, field) => {
    const wrong = options as Parameters<typeof llmPlugin>[1];
    expect(() => llmPlugin('llm_001', wrong)).toThrow(
      expect.objectContaining({
        code: 'INVALID_SPEC',
        pluginId: 'llm_001',
        message: expect.stringContaining(field) as string,
      }),
    );
  });

  it('of a spec is refused as in every spec; others are taken over', async () => {
    const manager = createManager();
    await expect(manager.register(llmPlugin('llm_001', { concurrency: 0 }))).rejects.toMatchObject({
      code: 'INVALID_SPEC',
    });
    const spec = llmPlugin('llm_001', {
      name: 'The one that answers',
      priority: 5,
      permissions: { env: ['LANG'] },
      apiKeyEnv: 'MY_KEY',
    });
    expect(spec).toMatchObject({
      name: 'The one that answers',
      priority: 5,
      permissions: { env: ['LANG', 'MY_KEY'] },
    });
  });
});

describe('a wrong input', () => {
  it.each([
    [7, 'text'],
    [null, 'text'],
    ['', 'prompt'],
    [[], 'messages'],
    [{}, 'either'],
    [{ prompt: 'a', messages: [{ role: 'user', content: 'b' }] }, 'either'],
    [{ prompt: 'a', temprature: 1 }, 'temprature'],
    [{ op: 'sing' }, "there is no op 'sing': there are chat, embed"],
    [{ op: 'embed', texts: 'a' }, 'texts'],
    [{ prompt: 'a', schema: { type: 'thing' } }, 'schema'],
    [[{ role: 'narrator', content: 'once' }], 'messages'],
    [{ prompt: 'a', tools: [{ name: 'white space', inputSchema: {} }] }, 'tools'],
  ])('is refused by name, and nobody is asked: %j', async (input, named) => {
    const server = await startRaw((response) => response.end(completion('hm')));
    const llm = await runLlm(server, { embeddingModel: 'e' });
    const failure = await failureOf(llm.execute(input as string));
    expect(causeOf(failure)).toMatchObject({ code: 'LLM_INVALID_INPUT' });
    expect(failure.message).toContain(named);
    expect(server.asked).toEqual([]);
  });
});

describe('counts', () => {
  it('are told by model, and go on over a reload', async () => {
    const mock = await startGeographer();
    const llm = await runLlm(mock, { prices: { 'gpt-test': { prompt: 1_000_000 } } });
    await llm.execute('The capital of France?');
    await llm.chat({ prompt: 'The capital of France?', model: 'gpt-other' });
    expect(await llm.reload()).toMatchObject({ ok: true, statePreserved: true });
    await llm.execute('The capital of France?');
    const stats = await llm.stats();
    const tokens = mock.getRequests().length;
    expect(tokens).toBe(3);
    const { byModel, ...all } = { ...stats?.plugin } as unknown as LlmStats;
    expect(Object.keys(byModel)).toEqual(['gpt-test', 'gpt-other']);
    expect(all).toMatchObject({ requests: 3, failures: 0, inFlight: 0, waiting: 0 });
    expect(all.totalTokens).toBe(all.promptTokens + all.completionTokens);
    expect(all.cost).toBe(byModel['gpt-test']?.promptTokens);
    expect(byModel['gpt-test']?.totalTokens).toBeGreaterThan(
      byModel['gpt-other']?.totalTokens ?? 0,
    );
    expect(stats?.metrics).toContainEqual({
      kind: 'counter',
      name: 'llm_requests_total',
      labels: { model: 'gpt-test', outcome: 'ok' },
      value: 1,
    });
  });
});

it('sends the key as servers want it, and further headers', async () => {
  const server = await startRaw((response) =>
    response.writeHead(200, JSON_TYPE).end(completion('hm')),
  );
  const llm = await runLlm(server, { headers: { 'x-tenant': 'tenant-a' } });
  expect(await llm.execute('hello')).toBe('hm');
  expect(server.asked).toMatchObject([
    {
      url: '/v1/chat/completions',
      headers: { 'authorization': `Bearer ${KEY}`, 'x-tenant': 'tenant-a' },
    },
  ]);
});
