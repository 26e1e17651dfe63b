/**
 * A document's MinHash signature (Broder 1997): the share of equal places in two signatures
 * estimates the Jaccard similarity of the two shingle sets. Pure.
 */

const SHINGLE_CHARS = 9; // for prose of this length, the usual choice (Leskovec et al., 3.2)
/** The standard error of an estimate is at most 0.5 / √4096 = 0.8 %. */
const SIGNATURE_HASHES = 4096;

const FAMILY = hashFamily(SIGNATURE_HASHES);

/** h(x) = a·x + b in 32 bits; with `a` odd it is a bijection. */
interface Hash {
  readonly a: number;
  readonly b: number;
}

/** Empty when the text is too short to have a shingle: such a document resembles none. */
export function signatureOf(text: string): Int32Array {
  const shingles = shinglesOf(normalize(text));
  if (shingles.length === 0) return new Int32Array(0);
  return Int32Array.from(FAMILY, (hash) => least(shingles, hash));
}

/** Estimated Jaccard similarity, 0 to 1. */
export function similarity(one: Int32Array, two: Int32Array): number {
  if (one.length === 0 || one.length !== two.length) return 0;
  let equal = 0;
  for (let index = 0; index < one.length; index++) if (one[index] === two[index]) equal++;
  return equal / one.length;
}

function normalize(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** The distinct shingles, each as a well mixed 32-bit hash (FNV-1a, then murmur3's finalizer). */
function shinglesOf(text: string): number[] {
  const hashes: number[] = [];
  const seen = new Set<number>();
  for (let start = 0; start + SHINGLE_CHARS <= text.length; start++) {
    let hash = 0x811c_9dc5;
    for (let index = start; index < start + SHINGLE_CHARS; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
    hash ^= hash >>> 16;
    if (!seen.has(hash)) hashes.push(hash);
    seen.add(hash);
  }
  return hashes;
}

/**
 * Nearly all of the time goes here. A plain array and one number that changes: twice as fast as
 * the other way round, every shingle lowering the places of a typed array.
 */
function least(shingles: readonly number[], { a, b }: Hash): number {
  let minimum = 0x7fff_ffff;
  for (let index = 0; index < shingles.length; index++) {
    const hash = (Math.imul(shingles[index] ?? 0, a) + b) | 0;
    if (hash < minimum) minimum = hash;
  }
  return minimum;
}

/** From a fixed seed: every thread must draw the same. */
function hashFamily(size: number): Hash[] {
  let seed = 0x2545_f491;
  const next = (): number => {
    seed ^= seed << 13; // Marsaglia's xorshift32
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return seed;
  };
  return Array.from({ length: size }, () => ({ a: next() | 1, b: next() }));
}
