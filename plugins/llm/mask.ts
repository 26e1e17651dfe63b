/** Takes keys out of what others say, before it is cut. The runtime's own redactor comes after it. */

/** Shorter ones would be found in ordinary words. */
const KEY_CHARS_MIN = 4;

export function createMask(keys: readonly (string | undefined)[]): (text: string) => string {
  const known = keys
    .filter((key) => key !== undefined)
    .filter((key) => key.length >= KEY_CHARS_MIN)
    // where one is part of another, the whole of it goes
    .toSorted((a, b) => b.length - a.length);
  return (text) => known.reduce((masked, key) => masked.replaceAll(key, '[secret]'), text);
}
