import type { PluginError } from 'troupe';
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { delta, EVENTS, runLlm, startMock, startRaw } from '../support/llm.ts';
import { causeOf, readAll } from '../support/outcomes.ts';

describe('a stream that breaks in the middle gives what there was, then a named error', () => {
  const two = delta('one ') + delta('two');

  it.each([
    ['the connection is lost', two, true, 'LLM_DISCONNECTED'],
    ['it ends without an end', two, false, 'LLM_DISCONNECTED'],
    ['it ends in a piece', `${two}data: {"id":"c","cho`, false, 'LLM_DISCONNECTED'],
    ['a piece is no JSON', `${two}data: {"choices":[{\n\n`, false, 'LLM_BAD_RESPONSE'],
    ['a piece has another shape', `${two}data: {"choices":7}\n\n`, false, 'LLM_BAD_RESPONSE'],
    [
      'the server says an error',
      `${two}data: {"error":{"message":"overloaded"}}\n\n`,
      false,
      'LLM_SERVER_ERROR',
    ],
  ])('%s', async (_, body, isLost, code) => {
    const server = await startRaw((response, request) => {
      response.writeHead(200, EVENTS);
      response.write(body, () => {
        if (isLost) setImmediate(() => request.socket.destroy());
        else response.end();
      });
    });
    const llm = await runLlm(server);
    const { chunks, error } = await readAll(llm.stream('count'));
    expect(chunks).toEqual(['one ', 'two']);
    expect(causeOf(error as PluginError)).toMatchObject({ code });
    expect(server.asked).toHaveLength(1);
    const parts = await readAll(llm.stream({ prompt: 'count' }));
    expect(parts.chunks).toEqual([
      { type: 'text', text: 'one ' },
      { type: 'text', text: 'two' },
    ]);
    expect((await llm.stats())?.plugin).toMatchObject({ inFlight: 0, failures: 2 });
  });

  it('also where a mock server truncates it', async () => {
    const mock = await startMock();
    mock.onMessage(/./, { content: 'x'.repeat(200) }, { truncateAfterChunks: 5, latency: 10 });
    const llm = await runLlm(mock);
    const { chunks, error } = await readAll(llm.stream('count'));
    expect(chunks.length).toBeGreaterThan(0);
    expect(chunks.length).toBeLessThan(10);
    expect(causeOf(error as PluginError)).toMatchObject({ code: 'LLM_DISCONNECTED' });
  });

  it('and one that is too large', async () => {
    const server = await startRaw((response) => {
      response.writeHead(200, EVENTS);
      const write = (): void => {
        while (!response.destroyed) {
          if (response.write(delta('x'.repeat(1_000)))) continue;
          response.once('drain', write);
          return;
        }
      };
      write();
    });
    const llm = await runLlm(server, { responseBytesMax: 100_000 });
    const { chunks, error } = await readAll(llm.stream('go on'));
    expect(chunks.length).toBeLessThan(100);
    expect(causeOf(error as PluginError)).toMatchObject({ code: 'LLM_RESPONSE_TOO_LARGE' });
    await eventually(() => {
      expect(server.brokenOff).toBe(1);
    });
  });
});

describe('a stream that breaks before its first part is asked for again', () => {
  const begun = { id: 'c', created: 1, model: 'gpt-test' };
  const event = (delta: object): string =>
    `data: ${JSON.stringify({ ...begun, choices: [{ index: 0, delta }] })}\n\n`;
  const role = event({ role: 'assistant', content: '' });
  const half = { index: 0, id: 't', type: 'function', function: { name: 'x', arguments: '{"a' } };

  it.each([
    ['the connection is lost after the headers', '', true],
    ['it ends after the headers', '', false],
    ['the connection is lost after an empty piece', role, true],
    ['it is lost in the middle of a tool call', role + event({ tool_calls: [half] }), true],
    ['its first piece is an error', 'data: {"error":{"message":"overloaded"}}\n\n', false],
    ['its second piece is an error', `${role}data: {"error":{"message":"overloaded"}}\n\n`, false],
  ])('%s', async (_, body, isLost) => {
    const server = await startRaw((response, request, at) => {
      response.writeHead(200, EVENTS);
      if (at > 0) response.end(delta('one ') + delta('two') + delta('', 'stop'));
      else if (!isLost) response.end(body);
      else {
        response.flushHeaders();
        response.write(body, () => setImmediate(() => request.socket.destroy()));
      }
    });
    const llm = await runLlm(server);
    const { chunks, error } = await readAll(llm.stream('count'));
    expect([chunks, error]).toEqual([['one ', 'two'], undefined]);
    expect(server.asked).toHaveLength(2);
    expect((await llm.stats())?.plugin).toMatchObject({
      requests: 2,
      failures: 1,
      retries: 1,
      inFlight: 0,
    });
  });

  it('as often as another request, and then it is a named error', async () => {
    const server = await startRaw((response) => {
      response.writeHead(200, EVENTS).end('data: {"error":{"message":"overloaded"}}\n\n');
    });
    const llm = await runLlm(server);
    const { chunks, error } = await readAll(llm.stream('count'));
    expect(chunks).toEqual([]);
    expect(causeOf(error as PluginError)).toMatchObject({
      code: 'LLM_SERVER_ERROR',
      message: expect.stringMatching(/overloaded.*tried 3 times/) as string,
    });
    expect(server.asked).toHaveLength(3);
  });

  it('but for one that is silent, which is a timeout and ends the request', async () => {
    const server = await startRaw((response) => {
      response.writeHead(200, EVENTS).write(role);
    });
    const llm = await runLlm(server, { idleTimeoutMs: 100 });
    const { chunks, error } = await readAll(llm.stream('count'));
    expect([chunks, causeOf(error as PluginError)]).toMatchObject([[], { code: 'LLM_TIMEOUT' }]);
    expect(server.asked).toHaveLength(1);
    await eventually(async () => {
      expect(server.brokenOff).toBe(1);
      expect((await llm.stats())?.plugin).toMatchObject({ inFlight: 0, failures: 1 });
    });
  });
});
