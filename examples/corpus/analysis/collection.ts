/**
 * Gathers the results of all documents, in whatever order they come, and says at the end what the
 * corpus holds. Never counts a document twice: one that is delivered again replaces itself.
 */
import { createHash } from 'node:crypto';

import { type Cluster, nearDuplicates } from './clusters.ts';
import type { ParsedDocument } from './markdown.ts';
import type { TermStatistics } from './terms.ts';
import type { Keyword } from './text-rank.ts';
import { type TermWeight, tfIdf } from './tf-idf.ts';

const TERMS_SHOWN = 15;
const PHRASES_SHOWN = 10;
const KEYWORDS_SHOWN = 12;
const LANGUAGES_SHOWN = 8;

export interface DocumentResult {
  readonly path: string;
  readonly title: string;
  readonly headings: number;
  readonly languages: readonly (readonly [language: string, blocks: number])[];
  readonly statistics: TermStatistics;
  readonly signature: Int32Array;
}

export function resultOf(
  path: string,
  { title, headings, languages }: ParsedDocument,
  statistics: TermStatistics,
  signature: Int32Array,
): DocumentResult {
  return { path, title, headings: headings.length, languages, statistics, signature };
}

export interface Findings {
  /** The paths of all documents that arrived: what "lost" is computed from. */
  readonly received: readonly string[];
  readonly headings: number;
  readonly tokens: number;
  readonly terms: readonly TermWeight[];
  readonly phrases: readonly TermWeight[];
  /** What documents are about: words with the number of documents that have them as a keyword. */
  readonly keywords: readonly (readonly [word: string, documents: number])[];
  readonly languages: readonly (readonly [language: string, blocks: number])[];
  readonly clusters: readonly Cluster[];
  /** SHA-256 over every result of every document: equal only if all of them are. */
  readonly fingerprint: string;
}

export class Collection {
  readonly #results = new Map<string, DocumentResult>();

  add(result: DocumentResult): void {
    this.#results.set(result.path, result);
  }

  get size(): number {
    return this.#results.size;
  }

  findings(): Findings {
    const results = [...this.#results.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    const weights = tfIdf(results.map((result) => result.statistics.terms));
    return {
      received: results.map((result) => result.path),
      headings: results.reduce((sum, result) => sum + result.headings, 0),
      tokens: results.reduce((sum, result) => sum + result.statistics.tokens, 0),
      terms: weights.filter((term) => term.words === 1).slice(0, TERMS_SHOWN),
      phrases: wholePhrases(weights).slice(0, PHRASES_SHOWN),
      keywords: tallyKeywords(results.flatMap((result) => result.statistics.keywords)),
      languages: tally(results.flatMap((result) => result.languages)).slice(0, LANGUAGES_SHOWN),
      clusters: nearDuplicates(results),
      fingerprint: fingerprintOf(results),
    };
  }
}

/** Without those that only ever occur as part of a longer one: "escape codes" in "ANSI escape codes". */
function wholePhrases(weights: readonly TermWeight[]): TermWeight[] {
  const phrases = weights.filter((term) => term.words > 1);
  return phrases.filter(
    (phrase) =>
      !phrases.some(
        (longer) =>
          longer.words > phrase.words &&
          longer.documents === phrase.documents &&
          ` ${longer.key} `.includes(` ${phrase.key} `),
      ),
  );
}

function tally(counts: readonly (readonly [string, number])[]): [string, number][] {
  const sums = new Map<string, number>();
  for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
  return [...sums].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

/** A document has a keyword once, so the count is a number of documents. */
function tallyKeywords(keywords: readonly Keyword[]): [string, number][] {
  const labels = new Map<string, string>();
  for (const { stem, label } of keywords) if (!labels.has(stem)) labels.set(stem, label);
  return tally(keywords.map(({ stem }) => [stem, 1]))
    .slice(0, KEYWORDS_SHOWN)
    .map(([stem, documents]) => [labels.get(stem) ?? stem, documents]);
}

function fingerprintOf(results: readonly DocumentResult[]): string {
  const hash = createHash('sha256');
  for (const { path, title, headings, languages, statistics, signature } of results) {
    const { tokens, terms, keywords } = statistics;
    const ranks = keywords.map(({ stem, label, rank }) => [stem, label, rank]);
    hash.update(JSON.stringify([path, title, headings, languages, tokens, terms, ranks]));
    hash.update(signature);
  }
  return hash.digest('hex');
}
