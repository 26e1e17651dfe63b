/** Values compared as strictly as they can be told apart. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';

export function assertTwin(actual: unknown, expected: unknown): void {
  const shown = inspect(actual, { depth: 9, maxArrayLength: 20, maxStringLength: 200 });
  assert.ok(isTwin(actual, expected), `not what was expected: ${shown}`);
}

/**
 * Are two values alike in everything a program can see: values, order of keys and entries, holes,
 * prototypes, and which objects are the same one? (`deepStrictEqual` overlooks the last, and
 * takes two invalid dates for different.) The buffers behind views are not compared.
 */
function isTwin(left: unknown, right: unknown): boolean {
  const rightOf = new Map<object, object>();
  const leftOf = new Map<object, object>();

  function alike(a: unknown, b: unknown): boolean {
    if (!isObject(a) || !isObject(b)) return Object.is(a, b);
    if (rightOf.has(a) || leftOf.has(b)) return rightOf.get(a) === b && leftOf.get(b) === a;
    rightOf.set(a, b);
    leftOf.set(b, a);
    return Object.getPrototypeOf(a) === Object.getPrototypeOf(b) && insides(a, b) && fields(a, b);
  }

  function insides(a: object, b: object): boolean {
    if (a instanceof Map && b instanceof Map) return items([...a].flat(), [...b].flat());
    if (a instanceof Set && b instanceof Set) return items([...a], [...b]);
    if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
    if (a instanceof RegExp && b instanceof RegExp) {
      return String(a) === String(b) && a.lastIndex === b.lastIndex;
    }
    if (a instanceof Error && b instanceof Error) {
      return a.name === b.name && a.message === b.message && a.stack === b.stack;
    }
    if (isBox(a) && isBox(b)) return Object.is(a.valueOf(), b.valueOf());
    const [bytes, others] = [bytesOf(a), bytesOf(b)];
    return bytes === undefined || (others !== undefined && Buffer.compare(bytes, others) === 0);
  }

  function fields(a: object, b: object): boolean {
    if (ArrayBuffer.isView(a)) return true;
    const keys = Object.keys(a);
    return (
      items(keys, Object.keys(b)) &&
      (!Array.isArray(a) || a.length === (b as unknown[]).length) &&
      keys.every((key) => alike(fieldOf(a, key), fieldOf(b, key)))
    );
  }

  function items(a: readonly unknown[], b: readonly unknown[]): boolean {
    return a.length === b.length && a.every((item, i) => alike(item, b[i]));
  }

  return alike(left, right);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isBox(value: object): boolean {
  return [Number, String, Boolean, BigInt].some((Kind) => value instanceof Kind);
}

function bytesOf(value: object): Uint8Array | undefined {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

function fieldOf(value: object, key: string): unknown {
  return (value as Record<string, unknown>)[key];
}
