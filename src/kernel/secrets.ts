/** Which texts of a plugin's spec are secret: what its `secrets` name in `config`, and all of its environment. */
import { PluginError } from '../protocol/errors.ts';
import type { PluginSpec } from '../protocol/manifest.ts';

/** @throws PluginError `INVALID_SPEC` for a path that leads nowhere: a misspelt secret is none. */
export function secretsOf(
  { id, secrets = [] }: PluginSpec,
  config: Record<string, unknown>,
  env: Record<string, string>,
): string[] {
  const texts = new Set(Object.values(env));
  for (const path of secrets) {
    const found = path
      .split('.')
      .reduce<unknown[]>((at, key) => at.flatMap((value) => below(value, key)), [config]);
    if (found.length === 0) {
      throw new PluginError(
        'INVALID_SPEC',
        `the spec of ${id} is not valid: "secrets": there is no ${path} in config`,
        { pluginId: id, data: { field: 'secrets' } },
      );
    }
    for (const value of found) collect(value, texts, new Set());
  }
  texts.delete('');
  return [...texts];
}

/** The value at a key, in a list so that `undefined` can be one. */
function below(value: unknown, key: string): unknown[] {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return [];
  return [(value as Record<string, unknown>)[key]];
}

/** Every text and number in a value; `config` may have cycles. */
function collect(value: unknown, texts: Set<string>, seen: Set<object>): void {
  if (typeof value === 'string') texts.add(value);
  else if (typeof value === 'number' || typeof value === 'bigint') texts.add(String(value));
  else if (typeof value === 'object' && value !== null && !seen.has(value)) {
    seen.add(value);
    for (const part of partsOf(value)) collect(part, texts, seen);
  }
}

function partsOf(value: object): unknown[] {
  if (value instanceof Map) return [...value.keys(), ...value.values()] as unknown[];
  return value instanceof Set ? [...(value as Set<unknown>)] : Object.values(value);
}
