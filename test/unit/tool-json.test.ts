import { describe, expect, it } from 'vitest';

import { json } from '../../plugins/tool/builtin/json.ts';
import { outcomeOf, runTool } from '../support/tool-run.ts';

const DOCUMENT = {
  'books': [
    { title: 'A', price: 8 },
    { title: 'B', price: 12 },
  ],
  'a/b': 1,
};

const ask = (args: Record<string, unknown>, options = {}): Promise<unknown> =>
  outcomeOf(json(options), args);
const patch = (document: unknown, ...operations: unknown[]): Promise<unknown> =>
  ask({ op: 'patch', document, patch: operations });

describe('json', () => {
  it('finds what a JSONPath finds, in a value or its text', async () => {
    const path = '$.books[?@.price < 10].title';
    const found = { results: [{ path: '$.books[0].title', value: 'A' }], truncated: false };
    expect(await ask({ op: 'query', document: DOCUMENT, path })).toEqual(found);
    expect(await ask({ op: 'query', document: JSON.stringify(DOCUMENT), path })).toEqual(found);
    expect(await ask({ op: 'query', document: DOCUMENT, path: '$..*' }, { resultsMax: 2 })).toEqual(
      {
        results: expect.objectContaining({ length: 2 }) as unknown,
        truncated: true,
      },
    );
  });

  it('reads at a JSON Pointer', async () => {
    expect(await ask({ op: 'get', document: DOCUMENT, path: '/books/1/price' })).toEqual({
      found: true,
      value: 12,
    });
    expect(await ask({ op: 'get', document: DOCUMENT, path: '/a~1b' })).toMatchObject({ value: 1 });
    expect(await ask({ op: 'get', document: DOCUMENT, path: '' })).toMatchObject({
      value: DOCUMENT,
    });
    expect(await ask({ op: 'get', document: { a: null }, path: '/a' })).toEqual({
      found: true,
      value: null,
    });
    expect(await ask({ op: 'get', document: DOCUMENT, path: '/nothing/here' })).toEqual({
      found: false,
    });
  });

  it('changes a copy by a JSON Patch, whose copies share nothing', async () => {
    expect(
      await patch(
        { a: { n: 1 }, list: [1, 3] },
        { op: 'test', path: '/a/n', value: 1 },
        { op: 'copy', from: '/a', path: '/b' },
        { op: 'replace', path: '/b/n', value: 2 },
        { op: 'add', path: '/list/1', value: 2 },
        { op: 'move', from: '/list', path: '/numbers' },
        { op: 'remove', path: '/numbers/0' },
      ),
    ).toEqual({ document: { a: { n: 1 }, b: { n: 2 }, numbers: [2, 3] } });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a document that is none', { op: 'query', document: '{', path: '$' }, 'JSON_DOCUMENT'],
    ['a value JSON has not', { op: 'get', document: { n: 1n }, path: '' }, 'JSON_DOCUMENT'],
    ['a query that is none', { op: 'query', document: {}, path: '$[?' }, 'JSON_PATH'],
    [
      'a pattern, which could be a hostile one',
      { op: 'query', document: ['aaaa'], path: "$[?search(@, '(a+)+$')]" },
      'JSON_PATH',
    ],
    ['a pointer that is none', { op: 'get', document: {}, path: 'a' }, 'JSON_POINTER'],
    ['a patch that is missing', { op: 'patch', document: {} }, 'JSON_PATCH'],
  ])('refuses %s', async (_, args, code) => {
    expect(await ask(args)).toBe(code);
  });

  it.each<[string, unknown]>([
    ['an unknown operation', { op: 'explode', path: '/a' }],
    ['a test that fails', { op: 'test', path: '/a', value: 2 }],
    ['a prototype', { op: 'add', path: '/__proto__/polluted', value: 1 }],
    ['a constructor', { op: 'add', path: '/constructor/prototype/polluted', value: 1 }],
    ['a value moved into itself', { op: 'move', from: '/a', path: '/a/b' }],
    ['a source that is not there', { op: 'copy', from: '/nothing', path: '/b' }],
  ])('refuses to patch %s, and pollutes nothing', async (_, operation) => {
    expect(await patch({ a: 1 }, operation)).toBe('JSON_PATCH');
    expect({}).not.toHaveProperty('polluted');
  });

  it('ends copies of copies at its bound', async () => {
    const doubling = Array.from({ length: 60 }, (_, index) => ({
      op: 'copy',
      from: '',
      path: `/${String(index)}`,
    }));
    expect(await patch({ text: 'some' }, ...doubling)).toBe('JSON_TOO_LARGE');
    expect(
      await ask({ op: 'get', document: 'x'.repeat(50), path: '' }, { documentBytesMax: 20 }),
    ).toBe('JSON_TOO_LARGE');
  });

  it.each<[string, string]>([
    ['filters in filters', '$[?$[?$[?@.a<0]]]'],
    ['descents in filters', '$..[?count($..*)<0]'],
    ['descents in descents', '$..*..*..*..*..*..nothing'],
    ['places that are named again and again', `$[?count($${'[*,*,*,*]'.repeat(20)})<0]`],
    ['many conditions', `$[?${'$[?@.a<0]||'.repeat(100)}@.a<0]`],
    ['negated ones', '$[?!$[?!$[?!@.a]]]'],
    ['large values that are compared', '$[?!($==$)]'],
    ['large values that are measured', '$[?length($)<0]'],
  ])('refuses a query that would take for ever: %s', async (_, path) => {
    const small = Array.from({ length: 3_000 }, (__, a) => ({ a, deep: [[[[[[[[a]]]]]]]] }));
    await expect(runTool(json({}), { op: 'query', document: small, path })).rejects.toMatchObject({
      code: 'JSON_QUERY_TOO_LARGE',
      message: expect.stringMatching(/more than 4194304 steps on this document: narrow/) as unknown,
    });
  });

  it('nests filters and descents in what a document can bear', async () => {
    const people = Array.from({ length: 300 }, (_, n) => ({ n, friend: 299 - n, of: { n } }));
    const document = { people, wanted: [7], same: { n: 5 } };
    const found = async (path: string): Promise<unknown> => {
      const { results } = (await ask({ op: 'query', document, path })) as {
        results: { value: unknown }[];
      };
      return results.map(({ value }) => value);
    };
    expect(await found('$.people[?$.people[?@.n==7 && @.friend==292]].n')).toHaveLength(300);
    expect(await found('$.people[?@.of==$.same].friend')).toEqual([294]);
    expect(await found('$..people[?count($..wanted[*])==1 && @.n==7].friend')).toEqual([292]);
    expect(await found('$..of..n')).toHaveLength(300);
  });

  it('looks for its deadline between two results, and while it finds none', async () => {
    const over = AbortSignal.abort(Object.assign(new Error('over'), { code: 'TOOL_TIMEOUT' }));
    const document = Array.from({ length: 1_000 }, (_, a) => ({ a }));
    for (const path of ['$[*]', '$[?@.a<0]', '$[?$[?$[?@.a<0]]]']) {
      const args = { op: 'query', document, path };
      expect(await outcomeOf(json({}), args, { signal: over })).toBe('TOOL_TIMEOUT');
    }
  });
});
