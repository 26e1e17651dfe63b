/** An entry, with what search and eviction need of it. Never changed: an update is another item. */
import { keepingKey } from './score.ts';
import type { MemoryEntry } from './types.ts';

export interface Item {
  readonly entry: MemoryEntry;
  readonly vector: Float32Array | undefined;
  /** Its place in the order of what is kept; the least goes first. */
  readonly key: number;
}

export function itemOf(
  entry: MemoryEntry,
  vector: Float32Array | undefined,
  halfLifeMs: number,
): Item {
  return { entry, vector, key: keepingKey(entry, halfLifeMs) };
}

export function isExpired({ entry }: Item, now: number): boolean {
  return entry.expiresAt !== undefined && entry.expiresAt <= now;
}

/** Whether `a` is forgotten before `b`; of equals, the older one is. */
export function isWorthLess(a: Item, b: Item): boolean {
  return a.key === b.key ? a.entry.id < b.entry.id : a.key < b.key;
}
