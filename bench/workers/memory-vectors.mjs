/** Cheap vectors of texts, so that a bench measures what is done with them: each word has its own. */
const DIMENSIONS = 384;
const words = new Map();

export default function embed(texts) {
  return texts.map(vectorOf);
}

export function vectorOf(text) {
  const vector = new Float32Array(DIMENSIONS);
  for (const word of text.split(' ')) {
    const part = wordVector(word);
    for (let at = 0; at < DIMENSIONS; at++) vector[at] += part[at];
  }
  return vector;
}

function wordVector(word) {
  const known = words.get(word);
  if (known) return known;
  let seed = 7;
  for (const char of word) seed = (Math.imul(seed, 31) + char.codePointAt(0)) >>> 0;
  const vector = Float32Array.from({ length: DIMENSIONS }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 4_294_967_296 - 0.4;
  });
  words.set(word, vector);
  return vector;
}
