import process from 'node:process';

import type { PluginError } from 'troupe';
import { llmPlugin, type LlmAnswer, type LlmPart, type LlmVectors } from 'troupe/plugins';
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';

import { eventually } from '../support/eventually.ts';
import {
  completion,
  delta,
  EVENTS,
  JSON_TYPE,
  KEY,
  runLlm,
  startMock,
  startRaw,
} from '../support/llm.ts';
import { createManager, fixture } from '../support/manager.ts';
import { causeOf, failureOf, readAll } from '../support/outcomes.ts';

const PARIS = 'Paris is the capital of France, as everybody knows.';
const CITY = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};

async function startGeographer() {
  const mock = await startMock();
  mock.onMessage(/France/, { content: PARIS });
  return mock;
}

describe('an llm plugin', () => {
  it('answers a text with a text', async () => {
    const llm = await runLlm(await startGeographer());
    const answer = await llm.execute('What is the capital of France?');
    expectTypeOf(answer).toEqualTypeOf<string>();
    expect(answer).toBe(PARIS);
  });

  it('answers a request with text, tokens, and what goes on from there', async () => {
    const mock = await startGeographer();
    const llm = await runLlm(mock, {
      system: 'Be short.',
      temperature: 0.2,
      prices: { 'gpt-test': { prompt: 2, completion: 10 } },
    });
    const answer = await llm.execute({
      prompt: 'What is the capital of France?',
      maxTokens: 50,
      stop: ['END'],
      temperature: 0,
      topP: 0.9,
      seed: 7,
    });
    expectTypeOf(answer).toEqualTypeOf<LlmAnswer>();
    const { promptTokens, completionTokens } = answer.usage;
    expect(answer).toEqual({
      text: PARIS,
      usage: {
        promptTokens,
        completionTokens,
        totalTokens: promptTokens + completionTokens,
        cost: (promptTokens * 2 + completionTokens * 10) / 1_000_000,
      },
      toolCalls: [],
      finishReason: 'stop',
      steps: 1,
      messages: [{ role: 'assistant', content: [{ type: 'text', text: PARIS }] }],
      model: 'gpt-test',
    });
    expect(promptTokens * completionTokens).toBeGreaterThan(0);
    expect(mock.getLastRequest()?.body).toMatchObject({
      model: 'gpt-test',
      messages: [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: 'What is the capital of France?' },
      ],
      temperature: 0,
      top_p: 0.9,
      max_tokens: 50,
      stop: ['END'],
      seed: 7,
    });
  });

  it('goes on with a conversation, as a list or in a request', async () => {
    const mock = await startGeographer();
    mock.onMessage(/Germany/, { content: 'Berlin.' });
    const llm = await runLlm(mock);
    const asked = { role: 'user', content: 'What is the capital of France?' } as const;
    const first = await llm.execute([asked]);
    const messages = [
      { role: 'system', content: 'Be short.' } as const,
      asked,
      ...first.messages,
      { role: 'user', content: 'And of Germany?' } as const,
    ];
    expect((await llm.chat({ messages, model: 'gpt-other' })).text).toBe('Berlin.');
    const { body } = mock.getLastRequest() ?? {};
    expect(body).toMatchObject({ model: 'gpt-other' });
    expect((body as { messages: { role: string }[] }).messages.map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
    ]);
  });

  it('has methods for what is asked most', async () => {
    const mock = await startGeographer();
    mock.onMessage(/as data/, { content: '{"city":"Paris"}' });
    mock.onEmbedding('a', { embedding: [1] });
    const llm = await runLlm(mock, { embeddingModel: 'embed-test' });
    expect(await llm.complete('The capital of France?')).toBe(PARIS);
    expect((await llm.chat('The capital of France?')).text).toBe(PARIS);
    expect(await llm.object<{ city: string }>({ prompt: 'as data', schema: CITY })).toEqual({
      city: 'Paris',
    });
    const { chunks } = await readAll(llm.streamText({ prompt: 'The capital of France?' }));
    expect(chunks.join('')).toBe(PARIS);
    expect((await llm.embed(['a'])).vectors).toHaveLength(1);
  });

  it('is found by what it can do, and is healthy', async () => {
    const manager = createManager();
    const llm = await runLlm(
      await startGeographer(),
      { embeddingModel: 'e', tools: 'all' },
      manager,
    );
    expect(manager.getByType('llm')).toEqual(['llm_001']);
    expect(manager.listPlugins()).toMatchObject([
      { capabilities: ['chat', 'stream', 'structured-output', 'embed', 'tools'] },
    ]);
    expect(await llm.health()).toMatchObject({ healthy: true, ready: true });
  });
});

describe('a stream', () => {
  it('of a text is its tokens', async () => {
    const llm = await runLlm(await startGeographer());
    const stream = llm.stream('What is the capital of France?');
    expectTypeOf(stream).toEqualTypeOf<AsyncIterable<string>>();
    const { chunks, error } = await readAll(stream);
    expect([chunks.join(''), error]).toEqual([PARIS, undefined]);
    expect(chunks.length).toBeGreaterThan(1);
  });

  it('of a request is parts, with the whole account at the end', async () => {
    const mock = await startMock();
    mock.onMessage(/France/, { content: PARIS, reasoning: 'It is Paris.' });
    const llm = await runLlm(mock);
    const stream = llm.stream({ prompt: 'What is the capital of France?' });
    expectTypeOf(stream).toEqualTypeOf<AsyncIterable<LlmPart>>();
    const { chunks, error } = await readAll(stream);
    const textOf = (type: string) =>
      chunks.map((part) => (part.type === type && 'text' in part ? part.text : '')).join('');
    expect([textOf('text'), textOf('reasoning'), error]).toEqual([
      PARIS,
      'It is Paris.',
      undefined,
    ]);
    expect(chunks.at(-1)).toMatchObject({
      type: 'finish',
      finishReason: 'stop',
      steps: 1,
      model: 'gpt-test',
      toolCalls: [],
    });
    const { plugin } = (await llm.stats()) ?? {};
    expect(plugin?.['totalTokens']).toBeGreaterThan(0);
  });

  it('gives tokens as they come', async () => {
    let more: (text: string) => void = () => undefined;
    const server = await startRaw((response) => {
      response.writeHead(200, EVENTS).write(delta('one '));
      more = (text) => response.end(delta(text, 'stop') + 'data: [DONE]\n\n');
    });
    const llm = await runLlm(server);
    const tokens: string[] = [];
    for await (const token of llm.stream('count')) {
      tokens.push(token);
      if (tokens.length === 1) more('two');
    }
    expect(tokens).toEqual(['one ', 'two']);
  });

  it('ends the request when its reader breaks off, and so does an abort', async () => {
    const server = await startRaw((response) => {
      response.writeHead(200, EVENTS).write(delta('one ') + delta('two '));
    });
    const llm = await runLlm(server);
    for await (const token of llm.stream('count')) {
      expect(token).toBe('one ');
      break;
    }
    await eventually(() => {
      expect(server.brokenOff).toBe(1);
    });
    const given = new AbortController();
    const { error } = await readAll(
      (async function* read() {
        for await (const token of llm.stream({ prompt: 'count' }, { signal: given.signal })) {
          given.abort();
          yield token;
        }
      })(),
    );
    expect((error as PluginError).code).toBe('CALL_ABORTED');
    await eventually(async () => {
      expect(server.brokenOff).toBe(2);
      expect((await llm.stats())?.plugin).toMatchObject({ inFlight: 0, failures: 0 });
    });
  });

  it('is read from the server no faster than somebody reads it', async () => {
    const PIECES = 3_000;
    const sent = [0, 0];
    const piece = delta('x'.repeat(10_000));
    const server = await startRaw((response, _, at) => {
      response.writeHead(200, EVENTS);
      const write = (): void => {
        while (!response.destroyed && (sent[at] ?? 0) < PIECES) {
          sent[at] = (sent[at] ?? 0) + 1;
          if (response.write(piece)) continue;
          response.once('drain', write);
          return;
        }
        response.end(delta('', 'stop'));
      };
      write();
    });
    const llm = await runLlm(server, { responseBytesMax: 1_000_000_000 });
    const left = llm.stream('go on')[Symbol.asyncIterator]();
    await left.next();
    // meanwhile another one is read to its end
    let read = 0;
    for await (const token of llm.stream('go on')) read += token.length;
    expect([read, sent[1]]).toEqual([PIECES * 10_000, PIECES]);
    // what is in sockets and in the stream's credit, and no more
    expect(sent[0]).toBeLessThan(PIECES / 2);
    await left.return?.();
    await eventually(() => {
      expect(server.brokenOff).toBe(1);
    });
  });
});

describe('an answer that has to fit a schema', () => {
  it('is in object; the server is told the schema', async () => {
    const mock = await startMock();
    mock.onMessage(/capital/, { content: '{"city":"Paris"}' });
    const llm = await runLlm(mock);
    const answer = await llm.execute({ prompt: 'The capital?', schema: CITY });
    expect(answer).toMatchObject({ object: { city: 'Paris' }, text: '{"city":"Paris"}', steps: 1 });
    expect(mock.getLastRequest()?.body).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { schema: CITY } },
    });
  });

  it('is asked for in words where the server takes no schema', async () => {
    const mock = await startMock();
    mock.onMessage(/capital/, { content: '```json\n{"city":"Paris"}\n```' });
    const llm = await runLlm(mock, { structuredOutputs: false, system: 'Be short.' });
    expect(await llm.object({ prompt: 'The capital?', schema: CITY })).toEqual({ city: 'Paris' });
    const { body } = mock.getLastRequest() ?? {};
    expect(body).toMatchObject({ response_format: { type: 'json_object' } });
    expect(JSON.stringify(body)).toContain('Be short.\\n\\nAnswer with JSON alone.');
  });

  it('is asked for again where it does not fit, with what is wrong', async () => {
    const mock = await startMock();
    mock.on(
      { userMessage: /capital/, hasToolResult: false, turnIndex: 0 },
      { content: '{"town":"Paris"}' },
    );
    mock.onMessage(/must have required property 'city'/, { content: '{"city":"Paris"}' });
    const llm = await runLlm(mock);
    const answer = await llm.execute({ prompt: 'The capital?', schema: CITY });
    expect(answer).toMatchObject({ object: { city: 'Paris' }, steps: 2 });
    expect(answer.messages.map(({ role }) => role)).toEqual(['assistant', 'user', 'assistant']);
    expect((await llm.stats())?.plugin).toMatchObject({
      requests: 2,
      totalTokens: answer.usage.totalTokens,
    });
  });

  it('is a named error when it never fits', async () => {
    const mock = await startMock();
    mock.onMessage(/.*/, { content: 'Paris, of course' });
    const llm = await runLlm(mock, { repairs: 2 });
    const failure = await failureOf(llm.execute({ prompt: 'The capital?', schema: CITY }));
    expect(causeOf(failure)).toMatchObject({ code: 'LLM_BAD_OBJECT' });
    expect(mock.getRequests()).toHaveLength(3);
    const cut = await readAll(llm.stream({ prompt: 'The capital?', schema: CITY }));
    expect(causeOf(cut.error as PluginError)).toMatchObject({ code: 'LLM_BAD_OBJECT' });
    expect(cut.chunks.length).toBeGreaterThan(0);
  });

  it('comes at the end of a stream', async () => {
    const mock = await startMock();
    mock.onMessage(/capital/, { content: '{"city":"Paris"}' });
    const llm = await runLlm(mock);
    const { chunks } = await readAll(llm.stream({ prompt: 'The capital?', schema: CITY }));
    expect(chunks.slice(-2)).toMatchObject([
      { type: 'object', object: { city: 'Paris' } },
      { type: 'finish' },
    ]);
  });
});

describe('embedding', () => {
  it('gives a vector for each text, in order', async () => {
    const mock = await startMock();
    mock.onEmbedding(/one/, { embedding: [1, 0] });
    mock.onEmbedding(/two/, { embedding: [0, 1] });
    const llm = await runLlm(mock, { embeddingModel: 'embed-test' });
    const embedded = await llm.execute({ op: 'embed', texts: ['one'] });
    expectTypeOf(embedded).toEqualTypeOf<LlmVectors>();
    expect(embedded).toMatchObject({ vectors: [[1, 0]], model: 'embed-test' });
    expect((await llm.embed(['two'])).vectors).toEqual([[0, 1]]);
    expect((await llm.embed([])).vectors).toEqual([]);
  });

  it('keeps the order of many, and counts their tokens', async () => {
    const server = await startRaw((response, _, at) => {
      const { input } = JSON.parse(server.requests[at]?.body ?? '') as { input: string[] };
      const data = input.map((text, index) => ({ embedding: [Number(text)], index }));
      response.writeHead(200, JSON_TYPE).end(JSON.stringify({ data, usage: { prompt_tokens: 5 } }));
    });
    const llm = await runLlm(server, { embeddingModel: 'embed-test' });
    const texts = Array.from({ length: 3_000 }, (_, at) => String(at));
    const { vectors, usage } = await llm.embed(texts);
    expect(vectors.map(([at]) => String(at))).toEqual(texts);
    expect(usage.promptTokens).toBe(5 * server.requests.length);
  });

  it('needs a model for it', async () => {
    const llm = await runLlm(await startMock());
    const failure = await failureOf(llm.embed(['a']));
    expect(causeOf(failure)).toMatchObject({ code: 'LLM_NOT_CONFIGURED' });
    expect(failure.message).toContain('embeddingModel');
  });
});

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
    [{ op: 'sing' }, '"sing"'],
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
    expect(server.requests).toEqual([]);
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
    const { byModel, ...all } = stats?.plugin as unknown as import('troupe/plugins').LlmStats;
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
  expect(server.requests).toMatchObject([
    {
      url: '/v1/chat/completions',
      headers: { 'authorization': `Bearer ${KEY}`, 'x-tenant': 'tenant-a' },
    },
  ]);
});
