/** What metadata may be: JSON, with no limit on its shape but its depth. */

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const DEPTH_MAX = 16;

/** The path of the first thing in it that is no JSON, or too deep; `undefined` where all of it is. */
export function foreignToJson(value: unknown, path: string, depth = 0): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : path;
  const parts = partsOf(value, path);
  if (parts === undefined || depth >= DEPTH_MAX) return path;
  for (const [where, part] of parts) {
    const found = foreignToJson(part, where, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function partsOf(value: unknown, path: string): [string, unknown][] | undefined {
  if (Array.isArray(value)) {
    return Array.from(value, (each: unknown, at) => [`${path}[${String(at)}]`, each]);
  }
  if (!isPlainObject(value)) return undefined;
  return Object.entries(value).flatMap(([key, each]): [string, unknown][] =>
    each === undefined ? [] : [[`${path}.${key}`, each]],
  );
}
