/** A value of the bus as JSON can say it, and no longer than a model should have to read. */

/** JSON of a value: Maps are objects, Sets are arrays, big numbers are texts, bytes are counted. */
export function jsonOf(value: unknown): string {
  try {
    const text = JSON.stringify(value, (_key, part: unknown) => plainOf(part)) as
      | string
      | undefined;
    return text ?? 'null';
  } catch {
    // it contains itself
    return JSON.stringify('[a value that JSON cannot say]');
  }
}

/** The value as JSON data; beyond so many characters its beginning, as a text that says so. */
export function readable(value: unknown, charsMax: number): unknown {
  if (typeof value === 'string') return cut(value, charsMax);
  const text = jsonOf(value);
  return text.length <= charsMax ? JSON.parse(text) : cut(text, charsMax);
}

function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  return `${text.slice(0, charsMax)}… [cut: ${String(text.length)} characters in all]`;
}

function plainOf(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), item as unknown]));
  }
  if (value instanceof Set) return [...(value as Set<unknown>)];
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof RegExp) return String(value);
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return `[${String(value.byteLength)} bytes]`;
  }
  return value;
}
