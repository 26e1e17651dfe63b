import { describe, expect, it } from 'vitest';

import { distinctCalls } from '../../plugins/llm/call-ids.ts';
import { explain, type Scene } from '../../plugins/llm/explain.ts';
import { jsonOf, readable } from '../../plugins/llm/json-safe.ts';
import { ObjectSchemas } from '../../plugins/llm/object-schema.ts';
import { namesFor } from '../../plugins/llm/tool-names.ts';
import { isToolList, outcomeOf, troubleOf } from '../../plugins/llm/tool-replies.ts';
import { callTimeoutMs, timesOf } from '../../plugins/llm/tool-time.ts';
import { createMask } from '../../plugins/mask.ts';

const SCENE: Scene = {
  endpoint: 'http://model.test/v1',
  masked: createMask([undefined, 'sk-secret-1', { deep: ['sk-secret-1-longer', 7, null] }]),
  now: () => 0,
  keyName: 'ACME_API_KEY',
  hasKey: true,
};

/** A provider's own error. */
function own(statusCode: number, cause?: Error): Error {
  return Object.assign(new Error('own words', { cause }), { name: 'AcmeError', statusCode });
}

function apiError(fields: object): Error {
  return Object.assign(new Error('said sk-secret-1'), { name: 'AI_APICallError', ...fields });
}

function tool(pluginId: string, name: string) {
  return { pluginId, name };
}

function error(code: string, cause?: Error) {
  return Object.assign(new Error('m', { cause }), { code });
}

describe('a failure of a request', () => {
  it.each([
    [{ statusCode: 401 }, 'LLM_UNAUTHORIZED', false],
    [{ statusCode: 403 }, 'LLM_UNAUTHORIZED', false],
    [{ statusCode: 404 }, 'LLM_NO_MODEL', false],
    [{ statusCode: 400 }, 'LLM_REFUSED', false],
    [{ statusCode: 422 }, 'LLM_REFUSED', false],
    [{ statusCode: 429 }, 'LLM_RATE_LIMITED', true],
    [{ statusCode: 429, responseBody: '{"code":"insufficient_quota"}' }, 'LLM_RATE_LIMITED', false],
    [{ statusCode: 500 }, 'LLM_SERVER_ERROR', true],
    [{ statusCode: 501 }, 'LLM_SERVER_ERROR', false],
    [{ statusCode: 503 }, 'LLM_SERVER_ERROR', true],
    [{ statusCode: 408 }, 'LLM_SERVER_ERROR', true],
    [{ statusCode: 302 }, 'LLM_BAD_RESPONSE', false],
    [{ statusCode: 200 }, 'LLM_BAD_RESPONSE', false],
    [{ statusCode: 200, cause: new TypeError('terminated') }, 'LLM_DISCONNECTED', true],
    [{ cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) }, 'LLM_UNREACHABLE', true],
  ])('%j is a %s', (fields, code, isRetryable) => {
    const failure = explain(apiError(fields), 'gpt', SCENE);
    expect(failure).toMatchObject({ code, isRetryable });
    expect(failure.message).toContain('http://model.test/v1');
    expect(failure.message + String(failure.stack)).not.toContain('sk-secret');
  });

  it('is one of the settings where a provider asked nobody, and of the server where it did', () => {
    const headers = { 'retry-after': '7' };
    const keyless = { ...SCENE, hasKey: false };
    expect(explain(own(401), 'gpt', keyless)).toMatchObject({
      code: 'LLM_NOT_CONFIGURED',
      message: expect.stringContaining('ACME_API_KEY') as string,
    });
    const explained = [
      Object.freeze(own(401)),
      own(401, apiError({ statusCode: 401 })),
      own(500, apiError({ cause: error('ECONNREFUSED') })),
      own(429, apiError({ statusCode: 429, responseHeaders: headers })),
      own(404),
    ].map((failure) => explain(failure, 'gpt', SCENE));
    expect(explained).toMatchObject([
      { code: 'LLM_UNAUTHORIZED', message: expect.stringContaining('is the key right') as string },
      { code: 'LLM_UNAUTHORIZED', message: expect.stringContaining('own words') as string },
      { code: 'LLM_UNREACHABLE', isRetryable: true },
      { code: 'LLM_RATE_LIMITED', retryAfterMs: 7_000 },
      { code: 'LLM_NO_MODEL' },
    ]);
    const missing = Object.assign(new Error('none'), { name: 'AI_LoadAPIKeyError' });
    expect(explain(missing, 'gpt', SCENE)).toMatchObject({
      code: 'LLM_NOT_CONFIGURED',
      message: expect.stringMatching(/ACME_API_KEY.*apiKeyEnv.*apiKey/) as string,
    });
    const refused = explain(apiError({ statusCode: 401 }), 'gpt', keyless);
    expect(refused).toMatchObject({
      code: 'LLM_UNAUTHORIZED',
      message: expect.stringContaining('set the environment variable ACME_API_KEY') as string,
    });
  });

  it('names the cause of a connection that is refused, and how long a server wants to rest', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const unreachable = explain(apiError({ cause: refused }), 'gpt', SCENE);
    expect(unreachable.message).toContain('(ECONNREFUSED)');
    const headers = { 'retry-after': '7' };
    const limited = explain(apiError({ statusCode: 429, responseHeaders: headers }), 'gpt', SCENE);
    expect(limited.retryAfterMs).toBe(7_000);
  });

  it.each([
    [undefined, 'LLM_BAD_RESPONSE'],
    [null, 'LLM_BAD_RESPONSE'],
    [7, 'LLM_BAD_RESPONSE'],
    [{}, 'LLM_BAD_RESPONSE'],
    [{ message: 7 }, 'LLM_BAD_RESPONSE'],
    ['overloaded', 'LLM_SERVER_ERROR'],
    [{ message: 'overloaded' }, 'LLM_SERVER_ERROR'],
  ])('may be anything that a server sends in a stream: %j', (sent, code) => {
    expect(explain(sent, 'gpt', SCENE).code).toBe(code);
  });

  it('is cut, and a key at the cut is not half there', () => {
    const message = `${'x'.repeat(495)}sk-secret-1`;
    const failure = explain(new Error(message), 'gpt', SCENE);
    expect(failure.message).not.toContain('sk-');
    expect(failure.message.length).toBeLessThan(700);
  });
});

it('a mask takes out the longer key first, and leaves short words alone', () => {
  const masked = createMask(['key-1', { also: ['key-1-long', 'abc'] }]);
  expect(masked('key-1-long key-1 abc')).toBe('[secret] [secret] abc');
});

describe('names of tools', () => {
  it('stay as they are where they are unique', () => {
    expect(namesFor([tool('a', 'add'), tool('b', 'sub')])).toEqual(['add', 'sub']);
  });

  it('have their plugin before them where two plugins have the same', () => {
    const tools = [tool('a', 'add'), tool('b.c', 'add'), tool('b.c', 'sub')];
    expect(namesFor(tools)).toEqual(['a__add', 'b_c__add', 'sub']);
  });

  it('give way to tools of the caller', () => {
    expect(namesFor([tool('a', 'add')], ['add'])).toEqual(['a__add']);
  });

  it('have only what every API takes, are unique all the same, and not too long', () => {
    const long = 'x'.repeat(100);
    const names = namesFor([
      tool('a', 'get weather!'),
      tool('b', 'get_weather_'),
      tool('a_b', 'c'),
      tool('a-b', 'c'),
      tool('a/b', 'c'),
      tool('p', long),
      tool('q', `${long}y`),
    ]);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[\w-]{1,64}$/.test(name))).toEqual([]);
  });
});

it('calls of tools have ids of their own, but for those that the server itself answers', () => {
  const call = { type: 'tool-call', toolCallId: 'c' };
  const server = { ...call, providerExecuted: true };
  const parts = [call, { type: 'text' }, call, { ...call, toolCallId: 'c_2' }, server];
  expect(parts.map(distinctCalls())).toEqual([
    call,
    { type: 'text' },
    { ...call, toolCallId: 'c_2' },
    { ...call, toolCallId: 'c_2_2' },
    server,
  ]);
});

describe('what a tool gives', () => {
  it('is said in JSON, whatever the bus carries', () => {
    const value = new Map<string, unknown>([
      ['n', 10n],
      ['s', new Set([1, new Map([['k', /a/]])])],
      ['b', new Uint8Array(3)],
      ['d', new Date(0)],
      ['e', new RangeError('far')],
      ['u', undefined],
    ]);
    expect(JSON.parse(jsonOf(value))).toEqual({
      n: '10',
      s: [1, { k: '/a/' }],
      b: '[3 bytes]',
      d: '1970-01-01T00:00:00.000Z',
      e: 'RangeError: far',
    });
    expect(jsonOf(undefined)).toBe('null');
  });

  it('is named where it contains itself', () => {
    const map = new Map<string, unknown>();
    map.set('self', map);
    const list: unknown[] = [];
    list.push(list);
    expect([jsonOf(map), jsonOf(list)]).toEqual([
      '"[a value that JSON cannot say]"',
      '"[a value that JSON cannot say]"',
    ]);
  });

  it('is cut where it is long, and says so', () => {
    expect(readable('short', 10)).toBe('short');
    expect(readable('a long text', 6)).toBe('a long… [cut: 11 characters in all]');
    expect(readable({ a: 'xxxxxxxx' }, 8)).toBe('{"a":"xx… [cut: 16 characters in all]');
    expect(readable({ a: 1 }, 8)).toEqual({ a: 1 });
  });

  it('is its result, or an error with what it says', () => {
    expect(outcomeOf({ ok: true, result: 7 })).toBe(7);
    const failed = { ok: false, error: { code: 'DRY', message: 'the well is dry' } };
    expect(() => outcomeOf(failed)).toThrow('DRY: the well is dry');
    for (const odd of [undefined, null, 'x', [], {}, { ok: 'yes' }, { ok: false }]) {
      expect(() => outcomeOf(odd)).toThrow('an answer that is none');
    }
  });

  it('is told to the model where it is trouble', () => {
    expect([
      troubleOf(error('PLUGIN_CRASHED')),
      troubleOf(error('CALL_TIMEOUT'), 500),
      troubleOf(error('NOT_FOUND')),
      troubleOf(error('CALL_FAILED', new Error('inner'))),
      troubleOf('plain'),
    ]).toEqual([
      'the tool crashed while it ran; it may or may not have done its work',
      'the tool did not answer within 500 ms',
      'the tool is not there now',
      'inner',
      'plain',
    ]);
  });

  it('is a list of tools only as agreed', () => {
    const tool = { name: 'a', description: 'b', inputSchema: {} };
    expect(isToolList([tool, { ...tool, confirm: true }])).toBe(true);
    for (const odd of [undefined, {}, [null], [{ ...tool, name: 1 }], [{ name: 'a' }]]) {
      expect(isToolList(odd)).toBe(false);
    }
  });
});

describe('a call of a tool', () => {
  it.each([
    [{}, undefined, 60_000],
    [{ timeoutMs: 10_000 }, undefined, 60_000],
    [{ timeoutMs: 300_000 }, undefined, 330_000],
    [{ timeoutMs: 30_000, confirmTimeoutMs: 60_000 }, undefined, 120_000],
    [{}, 1_000, 1_000],
    [{ timeoutMs: 30_000 }, 1_000, 1_000],
    [{ timeoutMs: 30_000, confirmTimeoutMs: 60_000 }, 1_000, 61_000],
    [{ confirmTimeoutMs: 2 ** 31 - 1 }, undefined, 2 ** 31 - 1],
    [{ timeoutMs: -1, confirmTimeoutMs: Infinity }, undefined, 60_000],
    [{ timeoutMs: '9', confirmTimeoutMs: Number.NaN }, undefined, 60_000],
  ])('outlasts what the tool lists: %j, at most %s for a run: %d ms', (listed, wished, ms) => {
    expect(callTimeoutMs(timesOf(listed), wished)).toBe(ms);
  });
});

describe('an answer that has to fit a schema', () => {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { city: { type: 'string' }, at: { type: 'string', format: 'date' } },
    required: ['city'],
    additionalProperties: false,
  };
  const fitting = new ObjectSchemas().fitting(schema);

  it('is read, also from a block of Markdown', () => {
    expect(fitting('{"city":"Paris"}')).toEqual({ object: { city: 'Paris' } });
    expect(fitting('```json\n{"city":"Rome"}\n```\n')).toEqual({ object: { city: 'Rome' } });
  });

  it('is refused with what is wrong', () => {
    expect(fitting('Paris')).toEqual({ problem: 'it is no JSON' });
    expect(fitting('{"at":"then","x":1}')).toEqual({
      problem:
        "the whole must have required property 'city'; the whole must NOT have additional " +
        'properties; /at must match format "date"',
    });
  });

  it('needs a schema that is one; the same is compiled once', () => {
    const schemas = new ObjectSchemas();
    expect(() => schemas.fitting({ type: 'thing' })).toThrow(/"schema"/);
    for (let round = 0; round < 3; round++) {
      expect(schemas.fitting({ ...schema, $id: 'same' })('{"city":"a"}')).toHaveProperty('object');
    }
  });
});
