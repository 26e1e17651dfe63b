/**
 * Term statistics of one document: tokens, stems, n-grams, keywords. Pure; knows one document only:
 * what needs the whole corpus (TF-IDF) is in tf-idf.ts.
 */
import { type Keyword, keywordsOf } from './text-rank.ts';
import { type Word, sentencesOf } from './words.ts';

const GRAM_WORDS_MAX = 4;
const PHRASE_COUNT_MIN = 2; // a phrase said once says nothing, and they are nine in ten

/**
 * A stem or a phrase of stems, how the document wrote it first, and how often. A tuple, because
 * hundreds go from thread to thread with each document, and an object would name its fields in each.
 */
export type TermCount = readonly [key: string, label: string, count: number];

export interface TermStatistics {
  readonly tokens: number;
  readonly terms: readonly TermCount[];
  readonly keywords: readonly Keyword[];
}

export function termStatistics(prose: readonly string[]): TermStatistics {
  const sentences = sentencesOf(prose);
  return {
    tokens: sentences.reduce((sum, sentence) => sum + sentence.length, 0),
    terms: countGrams(sentences),
    keywords: keywordsOf(sentences.flat().filter((word) => !word.stop)),
  };
}

function countGrams(sentences: readonly Word[][]): TermCount[] {
  const grams = new Map<string, { label: string; count: number }>();
  for (const sentence of sentences) {
    for (const [start, first] of sentence.entries()) {
      if (first.stop) continue;
      let key = '';
      let label = '';
      for (const [index, word] of sentence.slice(start, start + GRAM_WORDS_MAX).entries()) {
        key += index === 0 ? word.stem : ` ${word.stem}`;
        label += index === 0 ? word.form : ` ${word.form}`;
        if (word.stop) continue;
        const gram = grams.get(key);
        if (gram) gram.count++;
        else grams.set(key, { label, count: 1 });
      }
    }
  }
  return Array.from(grams, ([key, { label, count }]): TermCount => [key, label, count]).filter(
    ([key, , count]) => count >= PHRASE_COUNT_MIN || !key.includes(' '),
  );
}
