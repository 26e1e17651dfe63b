/** An entry as the storage keeps it. */
import { isPlainObject } from './json.ts';
import type { MemoryEntry, MemoryMetadata } from './types.ts';

/** The key beside it is the entry's id. */
export interface MemoryRecord extends Omit<MemoryEntry, 'id'> {
  v: 1;
  vector?: Float32Array | undefined;
  /** What made the vector. */
  model?: string | undefined;
}

export function recordOf(
  { id: _id, ...entry }: MemoryEntry,
  vector: Float32Array | undefined,
  model: string | undefined,
): MemoryRecord {
  return { v: 1, ...entry, vector, model: vector && model };
}

/** The entry and its vector; `undefined` for what is none: other data, or of a later version. */
export function readRecord(
  id: unknown,
  value: unknown,
): { entry: MemoryEntry; vector: Float32Array | undefined; model: string | undefined } | undefined {
  if (typeof id !== 'string' || !isPlainObject(value) || value['v'] !== 1) return undefined;
  const { namespace, text, importance, metadata, createdAt, updatedAt } = value;
  const { role, conversation, expiresAt, vector, model } = value;
  const isWhole =
    isText(namespace) &&
    isText(text) &&
    isNumber(importance) &&
    isPlainObject(metadata) &&
    isNumber(createdAt) &&
    isNumber(updatedAt) &&
    (role === undefined || isText(role)) &&
    (conversation === undefined || isText(conversation)) &&
    (expiresAt === undefined || isNumber(expiresAt));
  if (!isWhole) return undefined;
  return {
    entry: {
      id,
      namespace,
      text,
      importance,
      metadata: metadata as MemoryMetadata,
      ...(role === undefined ? {} : { role }),
      ...(conversation === undefined ? {} : { conversation }),
      createdAt,
      updatedAt,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
    vector: vectorOf(vector),
    model: isText(model) ? model : undefined,
  };
}

/** Backends that keep JSON give lists. */
function vectorOf(value: unknown): Float32Array | undefined {
  if (value instanceof Float32Array) return value;
  return Array.isArray(value) && value.length > 0 && value.every(isNumber)
    ? Float32Array.from(value)
    : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
