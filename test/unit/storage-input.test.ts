import { describe, expect, it } from 'vitest';

import { decodeInput } from '../../plugins/storage/input.ts';
import { StorageError } from '../../plugins/storage/storage-error.ts';

function refusal(input: unknown): string {
  try {
    decodeInput(input);
  } catch (error) {
    if (error instanceof StorageError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'taken';
}

const LONG = 'x'.repeat(1_960);

describe('an input of the storage plugin', () => {
  it.each([
    { op: 'get', key: 'a' },
    { op: 'get', key: 'a', namespace: undefined },
    { op: 'put', key: 'a', value: undefined, ttlMs: 1 },
    { op: 'scan' },
    {
      op: 'scan',
      prefix: '',
      start: 'a',
      end: 'b',
      reverse: true,
      limit: Infinity,
      keysOnly: false,
      unreadable: 'skip',
    },
    { op: 'batch', operations: [], conditions: [{ key: 'a' }] },
    { op: 'cas', key: 'a', value: 1 },
    { op: 'count', prefix: 'a' },
    { op: 'clear' },
    { op: 'backup', path: 'x' },
    { op: 'get', key: LONG, namespace: '' },
  ])('is taken where it is one: $op', (input) => {
    expect(decodeInput(input)).toBe(input);
  });

  it.each<[unknown, string]>([
    [null, 'the input is null, not an object with an op: get, put, delete, has, scan, batch'],
    [['get'], 'the input is an array'],
    [{}, 'there is no op undefined: there are get, put'],
    [{ op: 'toString' }, "there is no op 'toString'"],
    [{ op: 'get' }, 'get needs key'],
    [{ op: 'get', key: '' }, 'get: key is empty'],
    [{ op: 'get', key: 1 }, 'get: key is of type number, not a string'],
    [{ op: 'get', key: undefined }, 'get: key is undefined, not a string'],
    [{ op: 'get', key: '\ud800' }, 'get: key has half a surrogate pair'],
    [{ op: 'get', key: 'a', ttlMs: 1 }, "get has no field 'ttlMs': there are key, namespace"],
    [{ op: 'put', key: 'a' }, 'put needs value'],
    [{ op: 'put', key: 'a', value: 1, ttlMs: 0 }, 'put: ttlMs is not from 1 to'],
    [{ op: 'put', key: 'a', value: 1, ttlMs: NaN }, 'put: ttlMs is not from 1 to'],
    [{ op: 'put', key: 'a', value: 1, namespace: null }, 'put: namespace is null, not a string'],
    [{ op: 'scan', limit: -1 }, 'scan: limit is not a number of entries'],
    [{ op: 'scan', limit: 1.5 }, 'scan: limit is not a number of entries'],
    [{ op: 'scan', unreadable: 'leave' }, "scan: unreadable is 'leave', not 'fail' or 'skip'"],
    [{ op: 'scan', reverse: 1 }, 'scan: reverse is of type number, not true or false'],
    [{ op: 'batch', operations: {} }, 'batch: operations is of type object, not an array'],
    [{ op: 'batch', operations: [1] }, 'operations[0] is of type number, not an object'],
    [
      { op: 'batch', operations: [{ op: 'get', key: 'a' }] },
      "operations[0]: op is 'get', not 'put'",
    ],
    [{ op: 'batch', operations: [{ op: 'put', key: 'a' }] }, 'operations[0] needs value'],
    [
      { op: 'batch', operations: [{ op: 'delete', key: 'a', value: 1 }] },
      "operations[0] has no field 'value'",
    ],
    [{ op: 'batch', operations: [], conditions: [{}] }, 'conditions[0] needs key'],
    [
      { op: 'batch', operations: [], conditions: [{ key: 'a', op: 'x' }] },
      "conditions[0] has no field 'op'",
    ],
    [{ op: 'backup', path: '' }, 'backup: path is empty'],
    [JSON.parse('{ "op": "clear", "__proto__": 1 }'), "clear has no field '__proto__'"],
  ])('is refused by name where it is none: %j', (input, message) => {
    expect(refusal(input)).toContain(`STORAGE_INVALID_INPUT: ${message}`);
  });

  it.each([
    { op: 'get', key: LONG },
    { op: 'put', key: `${LONG}y`, namespace: '', value: 1 },
    { op: 'scan', start: LONG },
    { op: 'count', prefix: LONG },
    { op: 'batch', namespace: 'x', operations: [{ op: 'delete', key: LONG }] },
    { op: 'batch', operations: [], conditions: [{ key: 'é'.repeat(977) }] },
  ])('is refused where its key has too many bytes: $op', (input) => {
    expect(refusal(input)).toMatch(/^STORAGE_KEY_TOO_LONG: .* at most 1960 can be a key/);
  });
});
