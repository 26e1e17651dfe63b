/** What is asked of a guest: the input of `execute`, read. */
import { GuestError } from './guest-error.ts';

export type GuestRequest =
  /** By the Extism ABI; without a name, the function that the spec names. */
  | { do: 'call'; name: string | undefined; input: Uint8Array | string }
  /** With arguments of WebAssembly itself. */
  | { do: 'apply'; name: string; args: readonly Argument[]; returns: Returned }
  | { do: 'read'; pointer: number; length: number; as: 'text' | 'bytes' }
  | { do: 'write'; pointer: number; data: Uint8Array | string };

/** A text or bytes are put into the guest's memory, and passed as a pointer and a length. */
export type Argument = number | bigint | string | Uint8Array;
export type Returned = 'value' | 'text' | 'bytes';

/** @throws GuestError for what is none of these. */
export function requestOf(input: unknown): GuestRequest {
  if (input === undefined || input === null) return { do: 'call', name: undefined, input: '' };
  if (typeof input === 'string' || input instanceof Uint8Array) {
    return { do: 'call', name: undefined, input };
  }
  if (typeof input !== 'object' || Array.isArray(input)) {
    return { do: 'call', name: undefined, input: bytesOf(input) };
  }
  const fields = input as Record<string, unknown>;
  if (hasOnly(fields, ['read'])) return readOf(fields['read']);
  if (hasOnly(fields, ['write'])) return writeOf(fields['write']);
  if (typeof fields['function'] === 'string') {
    const name = fields['function'];
    if (hasOnly(fields, ['function', 'args', 'returns']) && 'args' in fields) {
      const { args, returns = 'value' } = fields;
      return { do: 'apply', name, args: argumentsOf(args), returns: returnedOf(returns) };
    }
    if (hasOnly(fields, ['function', 'input'])) {
      return { do: 'call', name, input: bytesOf(fields['input'] ?? '') };
    }
  }
  return { do: 'call', name: undefined, input: bytesOf(input) };
}

/** What is neither text nor bytes is JSON to the guest. */
function bytesOf(value: unknown): Uint8Array | string {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  try {
    const text: unknown = JSON.stringify(value);
    if (typeof text === 'string') return text;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new GuestError(`the input is not JSON, a text or bytes: ${why}`);
  }
  throw new GuestError('the input is not JSON, a text or bytes');
}

function hasOnly(fields: Record<string, unknown>, names: readonly string[]): boolean {
  return (
    Object.keys(fields).every((name) => names.includes(name)) &&
    names.some((name) => name in fields)
  );
}

function argumentsOf(args: unknown): readonly Argument[] {
  if (Array.isArray(args) && args.every(isArgument)) return args;
  throw new GuestError('"args" must be a list of numbers, bigints, texts and bytes');
}

function isArgument(value: unknown): value is Argument {
  return ['number', 'bigint', 'string'].includes(typeof value) || value instanceof Uint8Array;
}

function returnedOf(returns: unknown): Returned {
  if (returns === 'value' || returns === 'text' || returns === 'bytes') return returns;
  throw new GuestError('"returns" must be value, text or bytes');
}

function readOf(given: unknown): GuestRequest {
  const { pointer, length, as = 'text' } = (given ?? {}) as Record<string, unknown>;
  if (isSize(pointer) && isSize(length) && (as === 'text' || as === 'bytes')) {
    return { do: 'read', pointer, length, as };
  }
  throw new GuestError('"read" must be { pointer, length, as?: "text" or "bytes" }');
}

function writeOf(given: unknown): GuestRequest {
  const { pointer, data } = (given ?? {}) as Record<string, unknown>;
  if (isSize(pointer) && (typeof data === 'string' || data instanceof Uint8Array)) {
    return { do: 'write', pointer, data };
  }
  throw new GuestError('"write" must be { pointer, data: a text or bytes }');
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
