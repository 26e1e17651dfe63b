/** Takes keys out of what others say, before it is cut. The runtime's own redactor comes after it. */

/** Shorter ones would be found in ordinary words. */
const KEY_CHARS_MIN = 4;

/** @param secrets texts, and values with texts in them */
export function createMask(secrets: readonly unknown[]): (text: string) => string {
  const known = secrets
    .flatMap((secret) => textsIn(secret))
    .filter((key) => key.length >= KEY_CHARS_MIN)
    // where one is part of another, the whole of it goes
    .toSorted((a, b) => b.length - a.length);
  return (text) => known.reduce((masked, key) => masked.replaceAll(key, '[secret]'), text);
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((part) => textsIn(part));
}
