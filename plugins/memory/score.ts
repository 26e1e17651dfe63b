/** How entries are ranked, and which of them is forgotten first. Pure: the clock is an argument. */
import type { MemoryWeights } from './types.ts';

export interface Weighed {
  importance: number;
  updatedAt: number;
}

/** 1 when it is new, a half after each half-life. */
export function recencyOf(updatedAt: number, now: number, halfLifeMs: number): number {
  return 2 ** (-Math.max(0, now - updatedAt) / halfLifeMs);
}

/**
 * The mean of relevance, importance and recency by their weights, all 0 to 1:
 * (wr · relevance + wi · importance + wc · recency) / (wr + wi + wc).
 */
export function scoreOf(
  relevance: number,
  entry: Weighed,
  { weights, halfLifeMs, now }: { weights: MemoryWeights; halfLifeMs: number; now: number },
): number {
  const recency = recencyOf(entry.updatedAt, now, halfLifeMs);
  const sum =
    weights.relevance * relevance +
    weights.importance * entry.importance +
    weights.recency * recency;
  return sum / (weights.relevance + weights.importance + weights.recency);
}

/**
 * Orders entries as importance × recency does, at any time: of two entries the same one is always
 * the lesser, for both lose by the same factor. So a place in the order is for ever, and a heap of
 * them needs no clock. It is the logarithm of the product, without what all have in common.
 */
export function keepingKey({ importance, updatedAt }: Weighed, halfLifeMs: number): number {
  return Math.log2(importance) + updatedAt / halfLifeMs;
}

/** Text counts as a share of the best hit, a vector as its cosine. */
export interface HybridWeights {
  text: number;
  vector: number;
}

export function hybridRelevance(text: number, vector: number, weights: HybridWeights): number {
  return (weights.text * text + weights.vector * vector) / (weights.text + weights.vector);
}

const WEIGHT_MAX = 1_000_000;

/** What is wrong with weights by these names; `undefined` where nothing is. */
export function weightsProblem(given: unknown, names: readonly string[]): string | undefined {
  const isFine =
    typeof given === 'object' &&
    given !== null &&
    Object.entries(given).every(
      ([name, weight]) =>
        names.includes(name) && typeof weight === 'number' && weight >= 0 && weight <= WEIGHT_MAX,
    );
  return isFine ? undefined : `must be numbers from 0 by the names ${names.join(', ')}`;
}
