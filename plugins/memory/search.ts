/** Finds entries by words, by vector, or both, and ranks them. */
import { compileFilter } from './filter.ts';
import { greatest } from './heap.ts';
import { isExpired, type Item } from './item.ts';
import { hybridRelevance, scoreOf, type HybridWeights } from './score.ts';
import type { Space } from './space.ts';
import type { MemoryFilter, MemoryHit, MemoryMode, MemoryWeights } from './types.ts';

export interface Query {
  text: string;
  /** Of the text; needed for all modes but `text`. */
  vector: Float32Array | undefined;
  mode: MemoryMode;
  limit: number;
  threshold: number;
  conversation: string | undefined;
  filter: MemoryFilter | undefined;
}

export interface Ranking {
  weights: MemoryWeights;
  hybridWeights: HybridWeights;
  halfLifeMs: number;
  now: number;
}

interface Ranked {
  item: Item;
  relevance: number;
  score: number;
}

export function searchSpace(
  space: Space,
  query: Query,
  ranking: Ranking,
): { hits: MemoryHit[]; found: number } {
  const matches = query.filter && compileFilter(query.filter);
  const ranked: Ranked[] = [];
  for (const [item, relevance] of relevanceOf(space, query, ranking.hybridWeights)) {
    const { metadata, conversation } = item.entry;
    const isMeant =
      relevance > 0 &&
      relevance >= query.threshold &&
      !isExpired(item, ranking.now) &&
      (query.conversation === undefined || conversation === query.conversation) &&
      (matches?.(metadata) ?? true);
    if (isMeant) ranked.push({ item, relevance, score: scoreOf(relevance, item.entry, ranking) });
  }
  const best = greatest(ranked, query.limit, isLess);
  const hits = best.map(({ item, relevance, score }) =>
    Object.assign({}, item.entry, { score, relevance }),
  );
  return { hits, found: ranked.length };
}

/** Of equals, the newer one is better. */
function isLess(a: Ranked, b: Ranked): boolean {
  return a.score === b.score ? a.item.entry.id < b.item.entry.id : a.score < b.score;
}

function relevanceOf(
  space: Space,
  { text, vector, mode, threshold }: Query,
  weights: HybridWeights,
): Iterable<[Item, number]> {
  if (mode === 'text') return sharesOfBest(space.searchText(text));
  // A part may be below the threshold where the whole is not.
  const leastSimilarity = mode === 'vector' ? threshold : 0;
  const near = vector ? atMostOne(space.searchVector(vector, leastSimilarity)) : [];
  if (mode === 'vector') return near;
  const found = new Map<Item, number>();
  const similarities = new Map(near);
  const shares = new Map(sharesOfBest(space.searchText(text)));
  for (const [item, similarity] of similarities) {
    found.set(item, hybridRelevance(shares.get(item) ?? 0, similarity, weights));
  }
  for (const [item, share] of shares) {
    if (!found.has(item)) found.set(item, hybridRelevance(share, 0, weights));
  }
  return found;
}

/** What BM25 says has no upper bound; so the best hit is 1, and the others are shares of it. */
function sharesOfBest(found: [Item, number][]): [Item, number][] {
  const best = found.reduce((most, [, score]) => Math.max(most, score), 0);
  return found.map(([item, score]) => [item, score / best]);
}

/** A cosine of equals comes out a little more than 1. */
function atMostOne(found: [Item, number][]): [Item, number][] {
  return found.map(([item, similarity]) => [item, Math.min(1, similarity)]);
}
