/**
 * Prose to sentences of words, each with its stem. Unicode segmentation, so that Chinese, Russian
 * and emoji come out right; Porter's stemmer for what is plain English. Pure.
 */
import { stemmer } from 'stemmer';

import { STOP_WORDS } from './stop-words.ts';

const WORD_CHARS_MAX = 40; // longer is a hash, a URL or base64, not a word
const HAS_LETTER = /\p{L}/u;
const ENGLISH = /^[a-z]+$/;

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = new Intl.Segmenter('en', { granularity: 'word' });

export interface Word {
  /** As written, in lower case. */
  readonly form: string;
  readonly stem: string;
  /** Grammar, not topic: it may stand inside a phrase, never at its ends. */
  readonly stop: boolean;
}

export function sentencesOf(prose: readonly string[]): Word[][] {
  return prose.flatMap((block) =>
    Array.from(sentences.segment(block), ({ segment }) => wordsOf(segment)),
  );
}

function wordsOf(sentence: string): Word[] {
  const found: Word[] = [];
  for (const { segment, isWordLike } of words.segment(sentence)) {
    if (!isWordLike || segment.length > WORD_CHARS_MAX || !HAS_LETTER.test(segment)) continue;
    const form = segment.toLowerCase().replaceAll('’', "'");
    const stem = ENGLISH.test(form) ? stemmer(form) : form;
    found.push({ form, stem, stop: form.length < 2 || STOP_WORDS.has(form) });
  }
  return found;
}
