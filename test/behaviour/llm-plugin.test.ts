import type { ServerResponse } from 'node:http';

import type { PluginError } from 'troupe';
import type { LlmAnswer, LlmPart, LlmVectors } from 'troupe/plugins';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import {
  EVENTS,
  JSON_TYPE,
  PARIS,
  completion,
  delta,
  runLlm,
  startGeographer,
  startMock,
  startRaw,
} from '../support/llm.ts';
import { createManager } from '../support/manager.ts';
import { causeOf, failureOf, readAll } from '../support/outcomes.ts';

const CITY = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};

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

  it('leaves it to the server to fetch what a message names by a URL', async () => {
    const elsewhere = await startRaw((response) => response.end('fetched'));
    const server = await startRaw((response) =>
      response.writeHead(200, JSON_TYPE).end(completion('a cat')),
    );
    const llm = await runLlm(server);
    const url = `${elsewhere.url}/cat.png`;
    const content = [
      { type: 'text' as const, text: 'What is it?' },
      { type: 'file' as const, data: url, mediaType: 'image/png' },
      { type: 'file' as const, data: new Uint8Array([1, 2, 3]), mediaType: 'image/png' },
    ];
    expect((await llm.execute([{ role: 'user', content }])).text).toBe('a cat');
    expect(elsewhere.asked).toEqual([]);
    expect(JSON.parse(server.asked[0]?.body ?? '')).toMatchObject({
      messages: [
        {
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url } },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AQID' } },
          ],
        },
      ],
    });
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
    const answers: ServerResponse[] = [];
    const server = await startRaw((response) => {
      response.writeHead(200, EVENTS).write(delta('one '));
      answers.push(response);
    });
    const llm = await runLlm(server);
    const tokens: string[] = [];
    for await (const token of llm.stream('count')) {
      tokens.push(token);
      if (tokens.length === 1) answers[0]?.end(`${delta('two', 'stop')}data: [DONE]\n\n`);
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
      const { input } = JSON.parse(server.asked[at]?.body ?? '') as { input: string[] };
      const data = input.map((text, index) => ({ embedding: [Number(text)], index }));
      response.writeHead(200, JSON_TYPE).end(JSON.stringify({ data, usage: { prompt_tokens: 5 } }));
    });
    const llm = await runLlm(server, { embeddingModel: 'embed-test' });
    const texts = Array.from({ length: 3_000 }, (_, at) => String(at));
    const { vectors, usage } = await llm.embed(texts);
    expect(vectors.map(([at]) => String(at))).toEqual(texts);
    expect(usage.promptTokens).toBe(5 * server.asked.length);
  });

  it('needs a model for it', async () => {
    const llm = await runLlm(await startMock());
    const failure = await failureOf(llm.embed(['a']));
    expect(causeOf(failure)).toMatchObject({ code: 'LLM_NOT_CONFIGURED' });
    expect(failure.message).toContain('embeddingModel');
  });
});
