/** What the memory tells of itself. */
import type { MemoryOps } from './ops.ts';
import type { Upkeep, UpkeepParts } from './upkeep.ts';

/** Namespaces that are named, those with most entries first. */
const NAMESPACES_TOLD = 100;

export function statsOf({
  entries,
  writer,
  embedder,
  ops,
  upkeep,
}: Pick<UpkeepParts, 'entries' | 'writer' | 'embedder'> & {
  ops: MemoryOps;
  upkeep: Upkeep;
}): Record<string, unknown> {
  const sizes = [...entries.sizes()].sort(([, a], [, b]) => b - a);
  return {
    entries: entries.size,
    namespaces: Object.fromEntries(sizes.slice(0, NAMESPACES_TOLD)),
    namespaceCount: sizes.length,
    evicted: writer.evicted,
    expired: upkeep.expired,
    unreadable: upkeep.unreadable,
    searches: { ...ops.searches },
    ...(embedder
      ? {
          withoutVector: entries.size - entries.withVector,
          dimensions: embedder.dimensions,
          embedded: { ...embedder.counts },
        }
      : {}),
  };
}
