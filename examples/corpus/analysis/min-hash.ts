/**
 * A document's MinHash signature (Broder 1997): the share of equal places in two signatures
 * estimates the Jaccard similarity of the two shingle sets. Pure.
 */

const SHINGLE_CHARS = 9; // for prose of this length, the usual choice (Leskovec et al., 3.2)
/** 256 bands of 8. The standard error of an estimate is at most 0.5 / √2048 = 1.1 %. */
export const SIGNATURE_HASHES = 2048;

const FAMILY = hashFamily(SIGNATURE_HASHES);

/** Empty when the text is too short to have a shingle: such a document resembles none. */
export function signatureOf(text: string): Int32Array {
  const shingles = shinglesOf(normalize(text));
  if (shingles.length === 0) return new Int32Array(0);
  const signature = new Int32Array(SIGNATURE_HASHES).fill(0x7fff_ffff);
  for (const shingle of shingles) lower(signature, shingle, FAMILY.multipliers, FAMILY.offsets);
  return signature;
}

/** Estimated Jaccard similarity, 0 to 1. */
export function similarity(one: Int32Array, two: Int32Array): number {
  if (one.length === 0 || one.length !== two.length) return 0;
  let equal = 0;
  for (let index = 0; index < one.length; index++) if (one[index] === two[index]) equal++;
  return equal / one.length;
}

/** The hot loop, a function of its own with all it needs as arguments: so V8 compiles it best. */
function lower(
  signature: Int32Array,
  shingle: number,
  multipliers: Int32Array,
  offsets: Int32Array,
): void {
  for (let index = 0; index < signature.length; index++) {
    const hash = (Math.imul(shingle, multipliers[index] ?? 0) + (offsets[index] ?? 0)) | 0;
    if (hash < (signature[index] ?? 0)) signature[index] = hash;
  }
}

function normalize(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** The distinct shingles, each as a well mixed 32-bit hash (FNV-1a, then murmur3's finalizer). */
function shinglesOf(text: string): Int32Array {
  const hashes = new Set<number>();
  for (let start = 0; start + SHINGLE_CHARS <= text.length; start++) {
    let hash = 0x811c_9dc5;
    for (let index = start; index < start + SHINGLE_CHARS; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
    hashes.add(hash ^ (hash >>> 16));
  }
  return Int32Array.from(hashes);
}

/** `size` hash functions h(x) = a·x + b, from a fixed seed: every thread must draw the same. */
function hashFamily(size: number): { multipliers: Int32Array; offsets: Int32Array } {
  let seed = 0x2545_f491;
  const next = (): number => {
    seed ^= seed << 13; // Marsaglia's xorshift32
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return seed;
  };
  return {
    multipliers: Int32Array.from({ length: size }, () => next() | 1), // odd, so that it is a bijection
    offsets: Int32Array.from({ length: size }, next),
  };
}
