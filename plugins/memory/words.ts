/** What of a text is compared: words of any script, without case, accents and (English) endings. */

export type Stem = (word: string) => string;

const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}_]*/gu;
const ACCENTS = /[\u0300-\u036f]/g;
const POSSESSIVE = /['’]s(?![\p{L}\p{N}])/gu;
const LATIN = /^[a-z]+$/;
/** Scripts that put no spaces between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

let segmenter: Intl.Segmenter | undefined;

/** Each word once, in the order in which they come up. */
export function wordsOf(text: string, stem: Stem | undefined): string[] {
  const plain = text
    .replaceAll(POSSESSIVE, '')
    .normalize('NFKD')
    .replaceAll(ACCENTS, '')
    .normalize('NFC')
    .toLowerCase();
  const words = new Set<string>();
  for (const [word] of plain.matchAll(WORD)) {
    if (UNSPACED.test(word)) for (const part of segmentsOf(word)) words.add(part);
    else words.add(stem && LATIN.test(word) ? stem(word) : word);
  }
  return [...words];
}

function* segmentsOf(run: string): Iterable<string> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'word' });
  for (const { segment, isWordLike } of segmenter.segment(run)) if (isWordLike) yield segment;
}
