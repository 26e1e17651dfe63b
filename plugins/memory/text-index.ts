/**
 * Words of texts, on Orama: it keeps the tree of words and the texts, and two of its components are
 * ours. Its tokenizer knows one alphabet; ours any. Its search goes through the entries of a word
 * once for each of them, and takes beginnings of words for words; ours looks up whole words. Why,
 * with figures: docs/decisions/0019-memory.md.
 */
import type * as Orama from '@orama/orama';

import { wordsOf, type Stem } from './words.ts';

type OramaModule = typeof Orama;
type Index = Orama.components.index.Index;
type RadixNode = Extract<Index['indexes'][string], { type: 'Radix' }>['node'];

const SCHEMA = { text: 'string' } as const;

/** Of BM25: how soon more words stop to count, and how much length does. */
const K1 = 1.2;
const B = 0.75;

export class TextIndex {
  readonly #orama: OramaModule;
  readonly #database: Orama.Orama<typeof SCHEMA>;

  constructor(orama: OramaModule, { stemming }: { stemming: boolean }) {
    this.#orama = orama;
    const stem = stemming ? stemmerOf(orama) : undefined;
    this.#database = orama.create({
      schema: SCHEMA,
      sort: { enabled: false },
      components: { tokenizer: tokenizerOf(stem), index: wholeWords(orama) },
    });
  }

  /** Slots are small numbers that are used again: Orama keeps a trace of every id it ever saw. */
  add(slot: number, text: string): void {
    void this.#orama.insert(this.#database, { id: String(slot), text });
  }

  remove(slot: number): void {
    void this.#orama.remove(this.#database, String(slot));
  }

  /** By slot: how well it fits, as BM25 says; best first. None for a text without words. */
  search(term: string): [slot: number, score: number][] {
    const limit = this.#orama.count(this.#database);
    // It is a promise only where hooks or plugins are; here there are none.
    const found = this.#orama.search(this.#database, { term, limit, includeVectors: true });
    return 'hits' in found ? found.hits.map(({ id, score }) => [Number(id), score]) : [];
  }
}

function stemmerOf({ components }: OramaModule): Stem {
  const { stemmer } = components.tokenizer.createTokenizer({ language: 'english', stemming: true });
  if (!stemmer) throw new Error('Orama has no English stemmer');
  return (word) => stemmer(word);
}

function tokenizerOf(stem: Stem | undefined): Orama.Tokenizer {
  return {
    language: 'english',
    normalizationCache: new Map(),
    // The mark keeps words like `constructor` apart from what every object has.
    tokenize: (text) => wordsOf(text, stem).map((word) => `.${word}`),
  };
}

/** Orama's index, where a word counts once in a text, is looked up whole, and goes with its last text. */
function wholeWords({ components }: OramaModule): Orama.IIndex<Index> {
  const lengths = new Map<number, number>();
  let wordsInAll = 0;

  return {
    ...components.index.createIndex(),
    insertDocumentScoreParameters(_index, _property, id, words) {
      lengths.set(Number(id), words.length);
      wordsInAll += words.length;
    },
    insertTokenScoreParameters: () => undefined,
    remove(_implementation, index, property, _id, internalId, value, _type, language, tokenizer) {
      const tree = treeOf(index, property);
      for (const word of tokenizer.tokenize(value as string, language)) {
        tree.removeDocumentByWord(word, internalId);
        if (nodeOf(tree, word)?.d.size === 0) tree.removeWord(word);
      }
      wordsInAll -= lengths.get(internalId) ?? 0;
      return lengths.delete(internalId);
    },
    search(index, term, tokenizer, language) {
      const tree = treeOf(index, 'text');
      const meanLength = wordsInAll / lengths.size;
      const scores = new Map<number, number>();
      for (const word of tokenizer.tokenize(term, language)) {
        const ids = nodeOf(tree, word)?.d ?? [];
        const rarity = rarityOf('size' in ids ? ids.size : 0, lengths.size);
        for (const id of ids) {
          const length = (lengths.get(id) ?? meanLength) / meanLength;
          const weight = (K1 + 1) / (1 + K1 * (1 - B + B * length));
          scores.set(id, (scores.get(id) ?? 0) + rarity * weight);
        }
      }
      return [...scores];
    },
  };
}

function rarityOf(entriesWithIt: number, entries: number): number {
  return Math.log(1 + (entries - entriesWithIt + 0.5) / (entriesWithIt + 0.5));
}

function treeOf(index: object, property: string): RadixNode {
  const tree = 'indexes' in index ? (index as Index).indexes[property] : undefined;
  if (tree?.type !== 'Radix') throw new Error(`Orama keeps no words of ${property}`);
  return tree.node;
}

/** The node of exactly this word. */
function nodeOf(tree: RadixNode, word: string): RadixNode | undefined {
  let node = tree;
  for (let at = 0; at < word.length;) {
    const next = node.c.get(word.charAt(at));
    if (!next || !word.startsWith(next.s, at)) return undefined;
    at += next.s.length;
    node = next;
  }
  return node.e ? node : undefined;
}
