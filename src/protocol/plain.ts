/**
 * Is a value plain: does MessagePack itself carry it without loss? Strings, numbers, booleans,
 * null, undefined, 64-bit bigints, and arrays and objects of them, each met once. One walk
 * answers that and checks the nesting, so that most values are encoded directly. Anything
 * else takes the way of rich-table.ts.
 */

export type Plainness = 'plain' | 'rich' | 'too-deep';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** Below this many objects a linear search beats a Set. */
const SEEN_LINEAR_MAX = 12;

const seen: (object | undefined)[] = [];
let seenCount = 0;
let seenSet: Set<object> | undefined;

/** Reads getters, so it may throw what they throw. */
export function plainness(value: unknown, depthMax: number): Plainness {
  if (typeof value !== 'object' || value === null) return leaf(value) ? 'plain' : 'rich';
  try {
    return walk(value, depthMax);
  } finally {
    // an array that shrinks is made anew when it grows again
    while (seenCount > 0) seen[--seenCount] = undefined;
    seenSet = undefined;
  }
}

/** A string that UTF-8 or the decoder would change: a lone surrogate, or a leading byte-order mark. */
export function isPlainString(value: string): boolean {
  return value.isWellFormed() && value.charCodeAt(0) !== 0xfeff;
}

function walk(value: object, depth: number): Plainness {
  if (depth === 0) return 'too-deep';
  if (!remember(value)) return 'rich';
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === 'object' && item !== null) {
        const inner = walk(item, depth - 1);
        if (inner !== 'plain') return inner;
      } else if (!leaf(item) || (item === undefined && !(i in value))) {
        return 'rich';
      }
    }
    return 'plain';
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return 'rich';
  const keys = Object.keys(value);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    if (key === '__proto__' || !isPlainString(key)) return 'rich';
    const item: unknown = (value as Record<string, unknown>)[key];
    if (typeof item === 'object' && item !== null) {
      const inner = walk(item, depth - 1);
      if (inner !== 'plain') return inner;
    } else if (!leaf(item)) {
      return 'rich';
    }
  }
  return 'plain';
}

function leaf(value: unknown): boolean {
  if (typeof value === 'string') return isPlainString(value);
  if (typeof value === 'number') return value !== 0 || 1 / value > 0;
  if (typeof value === 'bigint') return value >= INT64_MIN && value <= INT64_MAX;
  return typeof value !== 'function' && typeof value !== 'symbol';
}

function remember(value: object): boolean {
  if (seenSet) {
    if (seenSet.has(value)) return false;
    seenSet.add(value);
    return true;
  }
  for (let i = 0; i < seenCount; i++) if (seen[i] === value) return false;
  seen[seenCount++] = value;
  if (seenCount > SEEN_LINEAR_MAX) seenSet = new Set(seen.slice(0, seenCount) as object[]);
  return true;
}
