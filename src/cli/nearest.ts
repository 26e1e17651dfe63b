/** The word that somebody who misspelt it may have meant. */

const MISTAKES_MAX = 2;

export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = MISTAKES_MAX + 1;
  for (const candidate of candidates) {
    const mistakes = candidate.startsWith(word) && word.length > 2 ? 1 : distance(word, candidate);
    if (mistakes < least && mistakes < candidate.length) [best, least] = [candidate, mistakes];
  }
  return best;
}

/** Levenshtein's: letters to add, remove or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const [left = 0, above = 0, corner = 0] = [next[j - 1], row[j], row[j - 1]];
      next.push(Math.min(left + 1, above + 1, corner + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
