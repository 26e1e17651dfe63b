/** What the memory tells of itself. */
import type { MemoryOps } from './ops.ts';
import type { Parts } from './parts.ts';

/** Namespaces that are named, those with most entries first. */
const NAMESPACES_TOLD = 100;

export function statsOf(
  { entries, embedder, tally }: Pick<Parts, 'entries' | 'embedder' | 'tally'>,
  { searches }: MemoryOps,
): Record<string, unknown> {
  const sizes = [...entries.sizes()].sort(([, a], [, b]) => b - a);
  return {
    entries: entries.size,
    namespaces: Object.fromEntries(sizes.slice(0, NAMESPACES_TOLD)),
    namespaceCount: sizes.length,
    ...tally,
    searches: { ...searches },
    ...(embedder
      ? {
          withoutVector: entries.size - entries.withVector,
          dimensions: embedder.dimensions,
          embedded: { ...embedder.counts },
        }
      : {}),
  };
}
