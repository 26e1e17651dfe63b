/** Which keys a scan is about, in the order of their UTF-8 bytes, which is that of code points. */
import type { StorageRange } from './backend.ts';

const LAST_CODE_POINT = 0x10_ff_ff;
const SURROGATES = { first: 0xd8_00, behind: 0xe0_00 };

/** The keys that have the prefix, from `start` on, before `end`. */
export function rangeOf({
  prefix = '',
  start = '',
  end,
}: {
  prefix?: string | undefined;
  start?: string | undefined;
  end?: string | undefined;
}): StorageRange {
  const behind = behindPrefix(prefix);
  const from = isBefore(start, prefix) ? prefix : start;
  const ends = [behind, end].filter((bound) => bound !== undefined);
  const [to] = ends.toSorted((one, other) => (isBefore(one, other) ? -1 : 1));
  return { from, to };
}

export function isEmpty({ from, to }: StorageRange): boolean {
  return to !== undefined && !isBefore(from, to);
}

/** The keys that are still to come after a page that ended with `last`. */
export function behindLast(range: StorageRange, last: string, reverse: boolean): StorageRange {
  // no key lies between a key and the same with a NUL
  return reverse ? { from: range.from, to: last } : { from: `${last}\0`, to: range.to };
}

/** Compares by UTF-8 bytes; `<` compares UTF-16 units, which puts surrogates before U+E000. */
export function isBefore(one: string, other: string): boolean {
  return byteOrder(one) < byteOrder(other);
}

const ASCII = /^[\0-\u007F]*$/;

/** A string that is ordered by `<` as the key is by its bytes; of an ASCII key the key itself. */
export function byteOrder(key: string): string {
  return ASCII.test(key) ? key : Buffer.from(key).toString('latin1');
}

export function fromByteOrder(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'latin1').toString();
}

/** The first string that no longer begins with it. */
function behindPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (char) => char.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === LAST_CODE_POINT) continue;
    const next = last + 1 === SURROGATES.first ? SURROGATES.behind : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return undefined;
}
