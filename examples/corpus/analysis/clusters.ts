/**
 * Groups of near-duplicates: locality-sensitive hashing finds the candidates, the signatures
 * decide, union-find joins. Pure; never compares all pairs.
 */
import { similarity } from './min-hash.ts';

const SIMILARITY_MIN = 0.8;
const BAND_HASHES = 8;
const BANDS = 128; // of a pair of similarity 0.8, all of them differ once in 10 billion

export interface Signed {
  readonly path: string;
  readonly signature: Int32Array;
}

export interface Cluster {
  readonly paths: readonly string[];
  /** The least similar pair that joined it. */
  readonly similarityMin: number;
}

/** Largest first, then by first path. `documents` must be ordered by path. */
export function nearDuplicates(documents: readonly Signed[]): Cluster[] {
  const leaderOf = documents.map((_, index) => index);
  const find = (index: number): number => {
    const leader = leaderOf[index] ?? index;
    return leader === index ? index : find(leader);
  };
  const joined: [member: number, similarity: number][] = [];
  for (const [a, b] of candidates(documents)) {
    const [one, two] = [documents[a], documents[b]];
    const alike = one && two ? similarity(one.signature, two.signature) : 0;
    if (alike < SIMILARITY_MIN) continue;
    leaderOf[Math.max(find(a), find(b))] = Math.min(find(a), find(b));
    joined.push([a, alike]);
  }
  return collect(documents, joined, find);
}

/** Each pair once that agrees in a whole band. */
function candidates(documents: readonly Signed[]): [number, number][] {
  const pairs = new Map<string, [number, number]>();
  for (let band = 0; band < BANDS; band++) {
    const buckets = new Map<string, number[]>();
    for (const [index, { signature }] of documents.entries()) {
      if (signature.length === 0) continue;
      const key = signature.subarray(band * BAND_HASHES, (band + 1) * BAND_HASHES).join();
      const bucket = buckets.get(key) ?? [];
      for (const other of bucket) pairs.set(`${other}-${index}`, [other, index]);
      buckets.set(key, [...bucket, index]);
    }
  }
  return [...pairs.values()];
}

function collect(
  documents: readonly Signed[],
  joined: readonly [number, number][],
  find: (index: number) => number,
): Cluster[] {
  const clusters = new Map<number, { paths: string[]; similarityMin: number }>();
  for (const [member, alike] of joined) {
    const cluster = clusters.get(find(member)) ?? { paths: [], similarityMin: 1 };
    cluster.similarityMin = Math.min(cluster.similarityMin, alike);
    clusters.set(find(member), cluster);
  }
  for (const [index, { path }] of documents.entries()) clusters.get(find(index))?.paths.push(path);
  return [...clusters.values()].sort(
    (one, two) =>
      two.paths.length - one.paths.length || ((one.paths[0] ?? '') < (two.paths[0] ?? '') ? -1 : 1),
  );
}
