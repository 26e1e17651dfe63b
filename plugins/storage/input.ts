/** From what was sent to a typed input: whatever is wrong with it is named, before anything is done. */
import { isRecord, kindOf, opOf, shown, unknownIn } from '../input.ts';
import { KEY_BYTES_MAX, TTL_MS_MAX } from './limits.ts';
import { StorageError } from './storage-error.ts';
import type { StorageInput, StorageOp } from './types.ts';
import { named } from './value-codec.ts';

export const DEFAULT_NAMESPACE = 'default';

interface Fields {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

const SHAPES: Record<StorageOp, Fields> = {
  get: { required: ['key'], optional: ['namespace'] },
  put: { required: ['key', 'value'], optional: ['namespace', 'ttlMs'] },
  delete: { required: ['key'], optional: ['namespace'] },
  has: { required: ['key'], optional: ['namespace'] },
  scan: {
    required: [],
    optional: ['namespace', 'prefix', 'start', 'end', 'reverse', 'limit', 'keysOnly', 'unreadable'],
  },
  batch: { required: ['operations'], optional: ['namespace', 'conditions'] },
  cas: { required: ['key', 'value'], optional: ['namespace', 'expected', 'ttlMs'] },
  count: { required: [], optional: ['namespace', 'prefix'] },
  clear: { required: [], optional: ['namespace'] },
  backup: { required: ['path'], optional: [] },
};

const OPS = Object.keys(SHAPES) as StorageOp[];

const CONDITION: Fields = { required: ['key'], optional: ['namespace', 'expected'] };

/** What is wrong with a field's value, if anything. Values of any kind have no entry. */
const WRONG: Record<string, (value: unknown) => string | undefined> = {
  namespace: text,
  key: (value) => (value === '' ? 'is empty' : text(value)),
  prefix: text,
  start: text,
  end: text,
  path: (value) => (value === '' ? 'is empty' : text(value)),
  ttlMs: (value) =>
    isWithin(value, 1, TTL_MS_MAX) ? undefined : `is not from 1 to ${String(TTL_MS_MAX)} (ms)`,
  limit: (value) =>
    value === Infinity || (Number.isInteger(value) && isWithin(value, 0, Infinity))
      ? undefined
      : 'is not a number of entries',
  reverse: flag,
  keysOnly: flag,
  unreadable: (value) =>
    value === 'fail' || value === 'skip' ? undefined : `is ${shown(value)}, not 'fail' or 'skip'`,
  operations: list,
  conditions: list,
};

export function decodeInput(input: unknown): StorageInput {
  const { op, fields } = opOf(input, OPS, refused);
  checkFields(fields, op, SHAPES[op]);
  checkKeys(fields);
  const { operations, conditions, namespace } = fields;
  if (Array.isArray(operations)) checkOperations(operations, namespace);
  if (Array.isArray(conditions)) {
    for (const [at, condition] of conditions.entries()) {
      const where = `conditions[${String(at)}]`;
      if (!isRecord(condition)) throw refused(`${where} is ${kindOf(condition)}, not an object`);
      checkFields(condition, where, CONDITION);
      checkKeys({ namespace, ...condition });
    }
  }
  // checked field by field above
  return input as StorageInput;
}

function checkOperations(operations: readonly unknown[], namespace: unknown): void {
  for (const [at, operation] of operations.entries()) {
    const where = `operations[${String(at)}]`;
    if (!isRecord(operation)) throw refused(`${where} is ${kindOf(operation)}, not an object`);
    const { op, ...own } = operation;
    if (op !== 'put' && op !== 'delete') {
      throw refused(`${where}: op is ${shown(op)}, not 'put' or 'delete'`);
    }
    checkFields(own, where, SHAPES[op]);
    checkKeys({ namespace, ...own });
  }
}

function checkFields(
  fields: Record<string, unknown>,
  where: string,
  { required, optional }: Fields,
): void {
  for (const name of required) {
    if (!(name in fields)) throw refused(`${where} needs ${name}`);
  }
  const unknown = unknownIn(fields, [...required, ...optional]);
  if (unknown !== undefined) throw refused(`${where} has no field ${unknown}`);
  for (const [name, value] of Object.entries(fields)) {
    const isLeftOut = value === undefined && !required.includes(name);
    const wrong = isLeftOut ? undefined : WRONG[name]?.(value);
    if (wrong) throw refused(`${where}: ${name} ${wrong}`);
  }
}

/** A bound of a range is held to what a key is. */
function checkKeys(input: Record<string, unknown>): void {
  const namespace = input['namespace'] ?? DEFAULT_NAMESPACE;
  const namespaceBytes = typeof namespace === 'string' ? Buffer.byteLength(namespace) : 0;
  for (const name of ['key', 'prefix', 'start', 'end']) {
    const key = input[name] ?? '';
    if (typeof key !== 'string') continue;
    const bytes = namespaceBytes + Buffer.byteLength(key);
    if (bytes <= KEY_BYTES_MAX) continue;
    throw new StorageError(
      'STORAGE_KEY_TOO_LONG',
      `${name} ${named(key)} and its namespace have ${String(bytes)} bytes of UTF-8, at most ${String(KEY_BYTES_MAX)} can be a key: shorten it, or use a hash of it`,
    );
  }
}

function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return `is ${kindOf(value)}, not a string`;
  return value.isWellFormed() ? undefined : 'has half a surrogate pair, which has no UTF-8';
}

function flag(value: unknown): string | undefined {
  return typeof value === 'boolean' ? undefined : `is ${kindOf(value)}, not true or false`;
}

function list(value: unknown): string | undefined {
  return Array.isArray(value) ? undefined : `is ${kindOf(value)}, not an array`;
}

function isWithin(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max;
}

function refused(problem: string): StorageError {
  return new StorageError('STORAGE_INVALID_INPUT', problem);
}
