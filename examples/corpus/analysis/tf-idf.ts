/**
 * Weighs terms over the whole corpus: log TF × IDF, each document normalised to length 1 (the
 * scheme "ltc"), summed. So a long change log counts no more than a short README. Pure.
 */
import type { TermCount } from './terms.ts';

const DOCUMENTS_MIN = 5; // a term of fewer documents is somebody's own name

export interface TermWeight {
  /** By stems; `label` is as a document wrote it. */
  readonly key: string;
  readonly label: string;
  readonly words: number;
  readonly weight: number;
  readonly documents: number;
}

/** Heaviest first. Give the documents in a fixed order: sums of floats depend on it. */
export function tfIdf(documents: readonly (readonly TermCount[])[]): TermWeight[] {
  const totals = new Map<string, { -readonly [K in keyof TermWeight]: TermWeight[K] }>();
  for (const [key, label] of documents.flat()) {
    const total = totals.get(key) ?? {
      key,
      label,
      words: key.split(' ').length,
      weight: 0,
      documents: 0,
    };
    total.documents++;
    totals.set(key, total);
  }
  for (const terms of documents) {
    const weights = terms.map(([key, , count]): [string, number] => {
      const documentsWith = totals.get(key)?.documents ?? 1;
      return [key, (1 + Math.log(count)) * Math.log(documents.length / documentsWith)];
    });
    const norm = Math.sqrt(weights.reduce((sum, [, weight]) => sum + weight ** 2, 0)) || 1;
    for (const [key, weight] of weights) {
      const total = totals.get(key);
      if (total) total.weight += weight / norm;
    }
  }
  return [...totals.values()]
    .filter((term) => term.documents >= DOCUMENTS_MIN)
    .sort((one, two) => two.weight - one.weight || (one.label < two.label ? -1 : 1));
}
