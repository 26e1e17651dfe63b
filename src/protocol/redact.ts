/**
 * Keeps a plugin's secrets out of what is told about it: errors, logs, crashes, health, stats.
 * It knows the secrets' texts and replaces them wherever they stand. It guards against mistakes,
 * not against a plugin that means to give its secrets away.
 */
import { SECRET_CHARS_MIN } from './limits.ts';
import { fromWireError, NOTHING_SECRET, toWireError, type Redactor } from './wire-error.ts';

/** What stands where a secret was. */
const REDACTED = '[secret]';

export function createRedactor(secrets: readonly string[]): Redactor {
  const shapes = [...new Set(secrets.flatMap(shapesOf))]
    .filter((shape) => shape.length >= SECRET_CHARS_MIN)
    // where one is part of another, the whole of it goes
    .sort((a, b) => b.length - a.length);
  if (shapes.length === 0) return NOTHING_SECRET;
  const known = new Set(secrets);
  const pattern = new RegExp(shapes.map(escaped).join('|'), 'g');

  const text = (said: string): string => said.replaceAll(pattern, REDACTED);

  /** @param seen copies of what was met already: a value may contain itself. */
  function copyOf(value: unknown, seen: Map<object, unknown>): unknown {
    if (typeof value === 'string') return text(value);
    if (typeof value === 'number' || typeof value === 'bigint') {
      const digits = String(value);
      return known.has(digits) && text(digits) === REDACTED ? REDACTED : value;
    }
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    if (value instanceof Error) return fromWireError(toWireError(value, redactor));
    if (value instanceof String) return text(String(value));
    if (Array.isArray(value)) {
      const copy: unknown[] = [];
      seen.set(value, copy);
      for (const item of value) copy.push(copyOf(item, seen));
      return copy;
    }
    if (value instanceof Map) {
      const copy = new Map<unknown, unknown>();
      seen.set(value, copy);
      for (const [key, item] of value) copy.set(copyOf(key, seen), copyOf(item, seen));
      return copy;
    }
    if (value instanceof Set) {
      const copy = new Set<unknown>();
      seen.set(value, copy);
      for (const item of value) copy.add(copyOf(item, seen));
      return copy;
    }
    // dates, buffers, promises: no text, or nothing that may be sent
    if (Object.prototype.toString.call(value) !== '[object Object]') return value;
    const copy = {};
    seen.set(value, copy);
    for (const [key, item] of Object.entries(value)) {
      // assigned, a key `__proto__` would be none
      Object.defineProperty(copy, text(key), {
        value: copyOf(item, seen),
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
    return copy;
  }

  const redactor: Redactor = {
    text,
    value: <T>(value: T) => copyOf(value, new Map()) as T,
  };
  return redactor;
}

/** As it is, each of its lines, and as it stands in JSON and in a URL. */
function shapesOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/);
  const json = JSON.stringify(secret).slice(1, -1);
  return [secret, ...lines, json, encodeURIComponent(secret.toWellFormed())];
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
