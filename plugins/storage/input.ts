/** From what was sent to a typed input: whatever is wrong with it is named, before anything is done. */
import { KEY_BYTES_MAX, TTL_MS_MAX } from './limits.ts';
import { StorageError } from './storage-error.ts';
import type { StorageInput, StorageOp } from './types.ts';
import { named } from './value-codec.ts';

export const DEFAULT_NAMESPACE = 'default';

interface Fields {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

const OPS: Record<StorageOp, Fields> = {
  get: { required: ['key'], optional: ['namespace'] },
  put: { required: ['key', 'value'], optional: ['namespace', 'ttlMs'] },
  delete: { required: ['key'], optional: ['namespace'] },
  has: { required: ['key'], optional: ['namespace'] },
  scan: {
    required: [],
    optional: ['namespace', 'prefix', 'start', 'end', 'reverse', 'limit', 'keysOnly'],
  },
  batch: { required: ['operations'], optional: ['namespace', 'conditions'] },
  cas: { required: ['key', 'value'], optional: ['namespace', 'expected', 'ttlMs'] },
  count: { required: [], optional: ['namespace', 'prefix'] },
  clear: { required: [], optional: ['namespace'] },
  backup: { required: ['path'], optional: [] },
};

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
  operations: list,
  conditions: list,
};

export function decodeInput(input: unknown): StorageInput {
  const ops = Object.keys(OPS).join(', ');
  if (!isRecord(input)) refuse(`the input is ${kindOf(input)}, not an object with an op: ${ops}`);
  const { op } = input;
  if (!isOp(op)) refuse(`op is ${shown(op)}, not one of ${ops}`);
  checkFields(input, op, OPS[op]);
  checkKeys(input);
  if (Array.isArray(input['operations'])) {
    checkOperations(input['operations'], input['namespace']);
  }
  if (Array.isArray(input['conditions'])) {
    for (const [at, condition] of input['conditions'].entries()) {
      const where = `conditions[${String(at)}]`;
      if (!isRecord(condition)) refuse(`${where} is ${kindOf(condition)}, not an object`);
      checkFields(condition, where, CONDITION);
      checkKeys({ namespace: input['namespace'], ...condition });
    }
  }
  // checked field by field above
  return input as unknown as StorageInput;
}

function checkOperations(operations: readonly unknown[], namespace: unknown): void {
  for (const [at, operation] of operations.entries()) {
    const where = `operations[${String(at)}]`;
    if (!isRecord(operation)) refuse(`${where} is ${kindOf(operation)}, not an object`);
    const { op } = operation;
    if (op !== 'put' && op !== 'delete') {
      refuse(`${where}: op is ${shown(op)}, not 'put' or 'delete'`);
    }
    checkFields(operation, where, OPS[op]);
    checkKeys({ namespace, ...operation });
  }
}

function checkFields(
  input: Record<string, unknown>,
  where: string,
  { required, optional }: Fields,
): void {
  for (const name of required) {
    if (!(name in input)) refuse(`${where} needs ${name}`);
  }
  for (const [name, value] of Object.entries(input)) {
    if (name === 'op' && where in OPS) continue;
    if (name === 'op' && where.startsWith('operations')) continue;
    if (!required.includes(name) && !optional.includes(name)) {
      refuse(`${where} has no ${JSON.stringify(name)}: it takes ${takes(required, optional)}`);
    }
    const isLeftOut = value === undefined && optional.includes(name);
    const wrong = isLeftOut ? undefined : WRONG[name]?.(value);
    if (wrong) refuse(`${where}: ${name} ${wrong}`);
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

function takes(required: readonly string[], optional: readonly string[]): string {
  return [...required, ...optional].join(', ') || 'nothing';
}

function shown(value: unknown): string {
  return typeof value === 'string' ? named(value) : kindOf(value);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`;
}

function isOp(op: unknown): op is StorageOp {
  return typeof op === 'string' && Object.hasOwn(OPS, op);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(message: string): never {
  throw new StorageError('STORAGE_INVALID_INPUT', message);
}
