import { describe, expect, it } from 'vitest';

import { json } from '../../plugins/tool/builtin/json.ts';
import { outcomeOf } from '../support/tool-run.ts';

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
    ['descents in descents', { op: 'query', document: [], path: '$..*..*..*..*' }, 'JSON_PATH'],
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

  it('looks for a deadline between two results', async () => {
    const args = { op: 'query', document: [1, 2, 3], path: '$[*]' };
    const over = AbortSignal.abort(Object.assign(new Error('over'), { code: 'TOOL_TIMEOUT' }));
    expect(await outcomeOf(json({}), args, { signal: over })).toBe('TOOL_TIMEOUT');
  });
});
