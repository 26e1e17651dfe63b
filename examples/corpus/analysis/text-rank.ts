/**
 * Keywords of one document by TextRank (Mihalcea and Tarau 2004): PageRank over the graph of words
 * that stand near each other. Pure.
 */
import type { Word } from './words.ts';

const KEYWORDS = 6;
const WINDOW_WORDS = 40; // wider than the paper's 10: the words of a passage, not of a phrase
const DAMPING = 0.85;
const ITERATIONS = 100; // 0.85^100: the start values' share is below 1e-7, so they decide no tie

export interface Keyword {
  readonly stem: string;
  /** How the document wrote it first. */
  readonly label: string;
  readonly rank: number;
}

interface Graph {
  readonly nodes: readonly Word[];
  /** Edge i goes from `from[i]` to `to[i]`, and back; an edge counts as often as it was seen. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly weight: Float64Array;
}

/** Highest rank first. */
export function keywordsOf(words: readonly Word[]): Keyword[] {
  const graph = neighbours(words);
  const ranks = pageRank(graph);
  return graph.nodes
    .map(({ stem, form }, index) => ({ stem, label: form, rank: ranks[index] ?? 0 }))
    .sort((one, two) => two.rank - one.rank || (one.stem < two.stem ? -1 : 1))
    .slice(0, KEYWORDS);
}

function neighbours(words: readonly Word[]): Graph {
  const numbers = new Map<string, number>();
  const nodes: Word[] = [];
  const sequence = words.map((word) => {
    const number = numbers.get(word.stem) ?? nodes.push(word) - 1;
    numbers.set(word.stem, number);
    return number;
  });
  const seen = new Map<number, number>();
  for (const [index, one] of sequence.entries()) {
    const end = Math.min(index + 1 + WINDOW_WORDS, sequence.length);
    for (let other = index + 1; other < end; other++) {
      const two = sequence[other] ?? one;
      if (one === two) continue;
      const edge = Math.min(one, two) * nodes.length + Math.max(one, two);
      seen.set(edge, (seen.get(edge) ?? 0) + 1);
    }
  }
  const edges = [...seen.keys()];
  return {
    nodes,
    from: Int32Array.from(edges, (edge) => Math.floor(edge / nodes.length)),
    to: Int32Array.from(edges, (edge) => edge % nodes.length),
    weight: Float64Array.from(seen.values()),
  };
}

function pageRank({ nodes, from, to, weight }: Graph): Float64Array {
  const strength = new Float64Array(nodes.length);
  for (const [edge, count] of weight.entries()) {
    add(strength, from[edge] ?? 0, count);
    add(strength, to[edge] ?? 0, count);
  }
  const share = (node: number | undefined, count: number): number =>
    (DAMPING * count) / (strength[node ?? 0] ?? 1);
  const forth = weight.map((count, edge) => share(from[edge], count));
  const back = weight.map((count, edge) => share(to[edge], count));
  let ranks = new Float64Array(nodes.length).fill(1);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const next = new Float64Array(nodes.length).fill(1 - DAMPING);
    for (let edge = 0; edge < weight.length; edge++) {
      const [a, b] = [from[edge] ?? 0, to[edge] ?? 0];
      add(next, b, (forth[edge] ?? 0) * (ranks[a] ?? 0));
      add(next, a, (back[edge] ?? 0) * (ranks[b] ?? 0));
    }
    ranks = next;
  }
  return ranks;
}

function add(sums: Float64Array, index: number, amount: number): void {
  sums[index] = (sums[index] ?? 0) + amount;
}
