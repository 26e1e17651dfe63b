import { describe, expect, it } from 'vitest';

import { decodeInput } from '../../plugins/memory/input.ts';
import type { MemoryErrorCode } from '../../plugins/memory/memory-error.ts';

const BOUNDS = { textCharsMax: 20, metadataCharsMax: 30 };

const FINE: unknown[] = [
  { op: 'add', text: 'a' },
  {
    op: 'add',
    text: 'a',
    importance: 0,
    metadata: { a: [1, { b: null }], c: undefined },
    namespace: 'ada',
    ttlMs: 1,
    role: 'user',
    conversation: 'c1',
  },
  {
    op: 'search',
    text: 'a b',
    mode: 'hybrid',
    limit: 1_000,
    threshold: 1,
    filter: {},
    weights: {},
  },
  { op: 'search', text: 'a', limit: undefined },
  { op: 'get', id: 'a', namespace: 'b' },
  { op: 'update', id: 'a', ttlMs: null },
  { op: 'delete', id: 'a' },
  { op: 'recent' },
  { op: 'count', namespace: '*' },
  { op: 'clear', conversation: 'c', filter: { a: 1 } },
  { op: 'window', conversation: 'c', tokens: 0.5 },
];

const REFUSED: [unknown, MemoryErrorCode, RegExp][] = [
  [
    'add',
    'MEMORY_INVALID_INPUT',
    /^the input is of type string, not an object with an op: add, search/,
  ],
  [null, 'MEMORY_INVALID_INPUT', /^the input is null, not an object/],
  [{}, 'MEMORY_INVALID_INPUT', /^there is no op undefined: there are add, search, get/],
  [{ op: 'constructor' }, 'MEMORY_INVALID_INPUT', /^there is no op 'constructor'/],
  [{ op: 'add' }, 'MEMORY_INVALID_INPUT', /^add: text is missing$/],
  [{ op: 'add', text: ' ' }, 'MEMORY_INVALID_INPUT', /^add: text must be a text that is not empty/],
  [
    { op: 'add', text: 'x'.repeat(21) },
    'MEMORY_ENTRY_TOO_LARGE',
    /^add: text has 21 characters, more/,
  ],
  [
    { op: 'add', text: 'a', importence: 1 },
    'MEMORY_INVALID_INPUT',
    /^add has no field 'importence' \(did you mean 'importance'\?\): there are text, importance/,
  ],
  [{ op: 'add', text: 'a', toString: 1 }, 'MEMORY_INVALID_INPUT', /^add has no field 'toString'/],
  [
    { op: 'add', text: 'a', importance: 1.1 },
    'MEMORY_INVALID_INPUT',
    /^add: importance must be a number, 0 to 1/,
  ],
  [{ op: 'add', text: 'a', importance: NaN }, 'MEMORY_INVALID_INPUT', /importance/],
  [
    { op: 'add', text: 'a', ttlMs: 0 },
    'MEMORY_INVALID_INPUT',
    /^add: ttlMs must be a whole number of mill/,
  ],
  [
    { op: 'add', text: 'a', namespace: '*' },
    'MEMORY_INVALID_INPUT',
    /'\*' stands for all namespaces/,
  ],
  [
    { op: 'add', text: 'a', namespace: 'x'.repeat(257) },
    'MEMORY_INVALID_INPUT',
    /^add: namespace must be/,
  ],
  [
    { op: 'add', text: 'a', metadata: [] },
    'MEMORY_INVALID_INPUT',
    /^add: metadata must be an object/,
  ],
  [
    { op: 'add', text: 'a', metadata: { a: [new Date()] } },
    'MEMORY_INVALID_INPUT',
    /metadata\.a\[0\] is not/,
  ],
  [{ op: 'add', text: 'a', metadata: { a: 1n } }, 'MEMORY_INVALID_INPUT', /metadata\.a is not/],
  [
    { op: 'add', text: 'a', metadata: { $a: 1 } },
    'MEMORY_INVALID_INPUT',
    /begins with \$, as \$a does/,
  ],
  [
    { op: 'add', text: 'a', metadata: { a: 'x'.repeat(40) } },
    'MEMORY_ENTRY_TOO_LARGE',
    /has 48 characters as JSON/,
  ],
  [{ op: 'search', text: 7 }, 'MEMORY_INVALID_QUERY', /^search: text must be a text/],
  [{ op: 'search', text: '' }, 'MEMORY_INVALID_QUERY', /^search: text must be a text/],
  [
    { op: 'search', text: 'x'.repeat(21) },
    'MEMORY_INVALID_QUERY',
    /^search: text has 21 characters/,
  ],
  [
    { op: 'search', text: 'a', mode: 'fuzzy' },
    'MEMORY_INVALID_INPUT',
    /^search: mode must be 'text', 'vector' or/,
  ],
  [
    { op: 'search', text: 'a', limit: 0 },
    'MEMORY_INVALID_INPUT',
    /^search: limit must be a whole number, 1 to/,
  ],
  [{ op: 'search', text: 'a', threshold: 2 }, 'MEMORY_INVALID_INPUT', /^search: threshold must be/],
  [
    { op: 'search', text: 'a', weights: { age: 1 } },
    'MEMORY_INVALID_INPUT',
    /^search: weights must be numbers/,
  ],
  [{ op: 'get' }, 'MEMORY_INVALID_INPUT', /^get: id is missing/],
  [
    { op: 'update', id: 'a' },
    'MEMORY_INVALID_INPUT',
    /^update changes nothing: there are text, importance/,
  ],
  [
    { op: 'window', conversation: 'c', tokens: -1 },
    'MEMORY_INVALID_INPUT',
    /^window: tokens must be a number/,
  ],
];

describe('an input', () => {
  it.each(FINE)('is taken: %j', (input) => {
    expect(decodeInput(input, BOUNDS)).toBe(input);
  });

  it.each(REFUSED)('is refused by name: %o', (input, code, message) => {
    expect(() => decodeInput(input, BOUNDS)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
  });
});
