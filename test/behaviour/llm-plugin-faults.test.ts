import type { PluginError } from 'troupe';
import type { LlmOptions } from 'troupe/plugins';
import { describe, expect, it } from 'vitest';

import { eventsOf, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import {
  completion,
  delta,
  EVENTS,
  FAST_RETRIES,
  JSON_TYPE,
  runLlm,
  startMock,
  startRaw,
  unusedUrl,
} from '../support/llm.ts';
import { createManager } from '../support/manager.ts';
import { causeOf, failureOf, readAll, troubleOf } from '../support/outcomes.ts';

describe('an endpoint that is down', () => {
  it('is unreachable, after retries, and the plugin is not healthy', async () => {
    const url = await unusedUrl();
    const llm = await runLlm({ url }, { retries: { ...FAST_RETRIES, max: 4 } });
    const { code, message } = await troubleOf(llm.execute('hello'));
    expect(code).toBe('LLM_UNREACHABLE');
    expect(message).toContain(`${url}/v1`);
    expect(message).toMatch(/ECONNREFUSED.*baseUrl.*tried 5 times/);
    expect(await llm.health()).toMatchObject({
      healthy: false,
      live: true,
      detail: { reason: 'the last 5 requests failed: LLM_UNREACHABLE' },
    });
    expect((await llm.stats())?.plugin).toMatchObject({ requests: 5, failures: 5, retries: 4 });
    const { error, chunks } = await readAll(llm.stream('hello'));
    expect([causeOf(error as PluginError), chunks]).toMatchObject([
      { code: 'LLM_UNREACHABLE' },
      [],
    ]);
  });

  it('is asked again, and is healthy when it answers', async () => {
    const server = await startRaw((response, request, at) => {
      if (at < 2) request.socket.destroy();
      else response.writeHead(200, JSON_TYPE).end(completion('hello'));
    });
    const llm = await runLlm(server);
    expect(await llm.execute('hello')).toBe('hello');
    expect(await llm.health()).toMatchObject({ healthy: true });
    expect((await llm.stats())?.plugin).toMatchObject({ requests: 3, failures: 2, retries: 2 });
  });
});

describe('an endpoint that is slow', () => {
  it('is a timeout of the request, which is not made again, and ends it', async () => {
    const server = await startRaw(() => undefined);
    const llm = await runLlm(server, { requestTimeoutMs: 100 });
    const { code, message } = await troubleOf(llm.execute('hello'));
    expect([code, message]).toEqual(['LLM_TIMEOUT', expect.stringContaining('requestTimeoutMs')]);
    expect(server.asked).toHaveLength(1);
    await eventually(() => {
      expect(server.brokenOff).toBe(1);
    });
  });

  it('is the call’s own deadline where that is shorter; it ends the request', async () => {
    const server = await startRaw(() => undefined);
    const llm = await runLlm(server);
    const failure = await failureOf(llm.execute('hello', { timeoutMs: 100 }));
    expect(failure.code).toBe('CALL_TIMEOUT');
    await eventually(async () => {
      expect(server.brokenOff).toBe(1);
      expect((await llm.stats())?.plugin).toMatchObject({ inFlight: 0, failures: 0 });
    });
  });

  it('and goes silent in the middle of a stream is a timeout after what there was', async () => {
    const server = await startRaw((response) => {
      response.writeHead(200, EVENTS).write(delta('one ') + delta('two'));
    });
    const llm = await runLlm(server, { idleTimeoutMs: 100 });
    const { chunks, error } = await readAll(llm.stream('count'));
    expect(chunks).toEqual(['one ', 'two']);
    expect(causeOf(error as PluginError)).toMatchObject({ code: 'LLM_TIMEOUT' });
    await eventually(async () => {
      expect(server.brokenOff).toBe(1);
      expect((await llm.stats())?.plugin).toMatchObject({ inFlight: 0, failures: 1 });
    });
  });

  it('does not take a slow reader for a slow server', async () => {
    const server = await startRaw((response) => {
      response.writeHead(200, EVENTS);
      for (let at = 0; at < 200; at++) response.write(delta('x'));
      response.end(delta('', 'stop'));
    });
    const llm = await runLlm(server, { idleTimeoutMs: 50 });
    let count = 0;
    for await (const token of llm.stream('count')) {
      // longer than the server may be silent, while the plugin waits for its reader
      if (count++ === 0) await new Promise((resolve) => setTimeout(resolve, 200));
      expect(token).toBe('x');
    }
    expect(count).toBe(200);
  });
});

describe('a status', () => {
  it.each([
    [401, 'LLM_UNAUTHORIZED', 1],
    [403, 'LLM_UNAUTHORIZED', 1],
    [404, 'LLM_NO_MODEL', 1],
    [400, 'LLM_REFUSED', 1],
    [500, 'LLM_SERVER_ERROR', 3],
    [503, 'LLM_SERVER_ERROR', 3],
    [429, 'LLM_RATE_LIMITED', 3],
  ])('%d is %s after %d tries', async (status, code, tries) => {
    const mock = await startMock();
    mock.onMessage(/./, { error: { message: 'it says why', type: 't' }, status });
    const llm = await runLlm(mock);
    const trouble = await troubleOf(llm.execute('hello'));
    expect(trouble).toMatchObject({ code });
    expect(trouble.message).toContain(`answered with ${String(status)}`);
    expect(trouble.message).toContain('it says why');
    expect(mock.getRequests()).toHaveLength(tries);
    const { error } = await readAll(llm.stream('hello'));
    expect(causeOf(error as PluginError)).toMatchObject({ code });
  });

  it('of a wrong key makes the plugin unhealthy at once', async () => {
    const mock = await startMock();
    mock.onMessage(/./, { error: { message: 'no' }, status: 401 });
    const llm = await runLlm(mock);
    await troubleOf(llm.execute('hello'));
    expect(await llm.health()).toMatchObject({ healthy: false });
  });

  it('of a redirection is not followed: the key stays where it belongs', async () => {
    const other = await startRaw((response) => response.end(completion('stolen')));
    const server = await startRaw((response) =>
      response.writeHead(307, { location: `${other.url}/v1/chat/completions` }).end(),
    );
    const llm = await runLlm(server);
    expect(await troubleOf(llm.execute('hello'))).toMatchObject({ code: 'LLM_BAD_RESPONSE' });
    expect(other.asked).toEqual([]);
  });
});

describe('a storm of 429', () => {
  it('is outlasted, with what the server asks for', async () => {
    const server = await startRaw((response, _, at) => {
      if (at < 12) response.writeHead(429, { 'retry-after-ms': '20' }).end('{}');
      else response.writeHead(200, JSON_TYPE).end(completion('hello'));
    });
    const llm = await runLlm(server, { retries: { ...FAST_RETRIES, max: 20 }, requestsAtOnce: 4 });
    const calls = Array.from({ length: 6 }, () => llm.execute('hello'));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 6 }, () => 'hello'));
    expect(server.asked).toHaveLength(18);
    expect((await llm.stats())?.plugin).toMatchObject({ retries: 12, inFlight: 0, waiting: 0 });
  });

  it('that asks for too long a wait is an error at once', async () => {
    const server = await startRaw((response) =>
      response.writeHead(429, { 'retry-after': '3600' }).end('{}'),
    );
    const llm = await runLlm(server);
    expect(await troubleOf(llm.execute('hello'))).toMatchObject({ code: 'LLM_RATE_LIMITED' });
    expect(server.asked).toHaveLength(1);
  });

  it('is told in the log, with the model', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const server = await startRaw((response, _, at) => {
      if (at === 0) response.writeHead(429).end('{}');
      else response.writeHead(200, JSON_TYPE).end(completion('hello'));
    });
    const llm = await runLlm(server, {}, manager);
    await llm.execute('hello');
    await eventually(() => {
      expect(eventsOf(events, 'log')).toMatchObject([
        { level: 'warn', fields: { model: 'gpt-test', code: 'LLM_RATE_LIMITED' } },
      ]);
    });
  });
});

it('a 429 is tried again, also where nobody waits for limits of one’s own', async () => {
  const server = await startRaw((response, _, at) => {
    if (at === 0) response.writeHead(429, { 'retry-after-ms': '3' }).end('{}');
    else response.writeHead(200, JSON_TYPE).end(completion('hello'));
  });
  const llm = await runLlm(server, { rateLimitWaitMsMax: 0 });
  expect(await llm.execute('hello')).toBe('hello');
  expect(server.asked).toHaveLength(2);
});

describe('limits of one’s own', () => {
  it('hold requests back, a few at once', async () => {
    let [open, most] = [0, 0];
    const server = await startRaw((response) => {
      most = Math.max(most, ++open);
      setImmediate(() => {
        open--;
        response.writeHead(200, JSON_TYPE).end(completion('hello'));
      });
    });
    const llm = await runLlm(server, { requestsAtOnce: 2 });
    await Promise.all(Array.from({ length: 10 }, () => llm.execute('hello')));
    expect([server.asked.length, most <= 2]).toEqual([10, true]);
  });

  it('refuse who would wait longer than they may, or than their call has time', async () => {
    const server = await startRaw((response) =>
      response.writeHead(200, JSON_TYPE).end(completion('hello')),
    );
    const llm = await runLlm(server, { requestsPerMinute: 1, rateLimitWaitMsMax: 1_000 });
    expect(await llm.execute('hello')).toBe('hello');
    expect(await troubleOf(llm.execute('hello'))).toMatchObject({ code: 'LLM_RATE_LIMITED' });
    const patient = await runLlm(server, { requestsPerMinute: 1 });
    await patient.execute('hello');
    const late = await troubleOf(patient.execute('hello', { timeoutMs: 5_000 }));
    expect(late).toMatchObject({ code: 'LLM_RATE_LIMITED' });
  });

  it('count tokens as the server does', async () => {
    const usage = { prompt_tokens: 90, completion_tokens: 10, total_tokens: 100 };
    const server = await startRaw((response) => {
      const body = { ...(JSON.parse(completion('hello')) as object), usage };
      response.writeHead(200, JSON_TYPE).end(JSON.stringify(body));
    });
    const options: LlmOptions = { tokensPerMinute: 200, rateLimitWaitMsMax: 1_000 };
    const llm = await runLlm(server, options);
    await llm.execute('hello');
    await llm.execute('hello');
    expect(await troubleOf(llm.execute('hello'))).toMatchObject({ code: 'LLM_RATE_LIMITED' });
  });
});

describe('a response that is none', () => {
  it.each([
    ['an answer without choices', JSON.stringify({ id: 'c', choices: [] })],
    ['another shape', '{"hello":"world"}'],
    ['no JSON', '<html>welcome</html>'],
    ['half of it', completion('hello').slice(0, 40)],
    ['nothing', ''],
  ])('is a named error: %s', async (_, body) => {
    const server = await startRaw((response) => response.writeHead(200, JSON_TYPE).end(body));
    const llm = await runLlm(server);
    expect(await troubleOf(llm.execute('hello'))).toMatchObject({ code: 'LLM_BAD_RESPONSE' });
    expect(server.asked).toHaveLength(1);
    const { error } = await readAll(llm.stream('hello'));
    expect(causeOf(error as PluginError).code).toMatch(/^LLM_(BAD_RESPONSE|DISCONNECTED)$/);
  });

  it('is a named error where it is too large, said before or not', async () => {
    const large = completion('x'.repeat(100_000));
    const server = await startRaw((response, _, at) => {
      const length = at === 0 ? { 'content-length': String(large.length) } : {};
      response.writeHead(200, { ...JSON_TYPE, ...length });
      response.write(large.slice(0, 10));
      response.end(large.slice(10));
    });
    const llm = await runLlm(server, { responseBytesMax: 50_000 });
    for (const _ of ['said', 'not said']) {
      expect(await troubleOf(llm.execute('hello'))).toMatchObject({
        code: 'LLM_RESPONSE_TOO_LARGE',
      });
    }
    expect((await llm.stats())?.plugin).toMatchObject({ requests: 2, failures: 2 });
  });

  it('is asked for again where the connection breaks in the middle', async () => {
    const server = await startRaw((response, request, at) => {
      response.writeHead(200, { ...JSON_TYPE, 'content-length': '5000' });
      if (at > 0) response.end(completion('hello'.padEnd(5_000 - completion('').length)));
      else response.write('{"id":', () => request.socket.destroy());
    });
    const llm = await runLlm(server);
    expect((await llm.execute('hello')).trim()).toBe('hello');
    expect(server.asked).toHaveLength(2);
  });
});

it('a neighbour with the same server is not hurt, and nothing is left after all of it', async () => {
  const server = await startRaw((response, _, at) => {
    if (server.asked[at]?.body.includes('slow')) return;
    response.writeHead(200, JSON_TYPE).end(completion('fine'));
  });
  const manager = createManager();
  const llm = await runLlm(server, {}, manager);
  const given = new AbortController();
  const slow = Array.from({ length: 4 }, () =>
    failureOf(llm.execute('slow', { signal: given.signal })),
  );
  expect(await llm.execute('fine')).toBe('fine');
  given.abort();
  expect((await Promise.all(slow)).map(({ code }) => code)).toEqual(slow.map(() => 'CALL_ABORTED'));
  await eventually(async () => {
    expect((await llm.stats())?.plugin).toMatchObject({ inFlight: 0, waiting: 0 });
  });
  expect(await manager.close()).toEqual({ clean: true, problems: [] });
});
