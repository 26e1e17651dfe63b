/** What does the memory plugin add to its search library, at ten thousand entries? */
import { create, insert, search, type AnyOrama } from '@orama/orama';
import { PluginManager } from 'troupe';
import { memoryPlugin, type MemoryMode } from 'troupe/plugins';

import type { Question, QuestionOptions } from '../question.ts';
import { inRounds, type Entrant } from '../support/rounds.ts';
import { quantile } from '../support/statistics.ts';
import { vectorOf } from '../workers/memory-vectors.mjs';

const ENTRIES = 10_000;
const DIMENSIONS = 384;
const WORDS_IN_TEXT = 30;
const WORDS_IN_QUERY = 4;
const VOCABULARY = 5_000;
const LIMIT = 10;

const BARE = 'bare Orama';
const PLUGIN = 'memory plugin';
const MODES = ['text', 'vector', 'hybrid'] as const;

export const memory: Question = {
  name: 'memory',
  title: 'What does the memory plugin cost, beside the search library it is built on?',
  about: `${ENTRIES.toLocaleString('en')} texts of ${String(WORDS_IN_TEXT)} words each, common ones and rare ones, with vectors of ${String(DIMENSIONS)} numbers that a module makes of them. Time for adding one of them (64 at once; bare: one after the other), and the median of searches with ${String(WORDS_IN_QUERY)} words, one at a time. Orama runs in the caller’s own thread, with its defaults; the plugin in its own, where it also weighs importance and age.`,
  unit: 'ms',
  better: 'lower',
  base: BARE,
  scale: 'own',
  targets: [],
  ask: ({ quick, ...options }: QuestionOptions) =>
    inRounds([bare(quick), plugin(quick)], {
      rounds: quick ? 3 : 11,
      deadlineMs: 60_000,
      ...options,
    }),
};

function bare(quick: boolean): Entrant {
  return {
    contender: BARE,
    settings: 'defaults, same thread',
    async start() {
      const words = new Words();
      let database: AnyOrama | undefined;
      const ask = (mode: MemoryMode): void => {
        const term = words.text(WORDS_IN_QUERY);
        const vector = { value: [...vectorOf(term)], property: 'vector' };
        const common = { limit: LIMIT, similarity: 0, includeVectors: true };
        if (!database) throw new Error('nothing was added');
        if (mode === 'text') void search(database, { term, limit: LIMIT, includeVectors: true });
        else void search(database, { mode, term, vector, ...common });
      };
      return {
        async measure() {
          const schema = { text: 'string', vector: `vector[${DIMENSIONS}]` } as const;
          const made = create({ schema });
          const from = performance.now();
          for (let n = 0; n < ENTRIES; n++) {
            const text = words.text(WORDS_IN_TEXT);
            void insert(made, { text, vector: [...vectorOf(text)] });
          }
          const addMs = (performance.now() - from) / ENTRIES;
          database = made;
          return { 'add one': addMs, ...(await searched(quick, async (mode) => ask(mode))) };
        },
        stop: () => Promise.resolve(),
      };
    },
  };
}

function plugin(quick: boolean): Entrant {
  return {
    contender: PLUGIN,
    settings: 'own thread, no storage',
    async start() {
      const words = new Words();
      const manager = new PluginManager('bench', { logs: 'silent' });
      const embedder = new URL('../workers/memory-vectors.mjs', import.meta.url);
      const agent = await manager.register(memoryPlugin('memory', { embedder }));
      await manager.up();
      return {
        async measure() {
          await agent.clear();
          const from = performance.now();
          for (let n = 0; n < ENTRIES; n += 64) {
            const count = Math.min(64, ENTRIES - n);
            await Promise.all(
              Array.from({ length: count }, () => agent.add(words.text(WORDS_IN_TEXT))),
            );
          }
          const addMs = (performance.now() - from) / ENTRIES;
          const ask = async (mode: MemoryMode): Promise<unknown> =>
            agent.search(words.text(WORDS_IN_QUERY), { mode, limit: LIMIT });
          return { 'add one': addMs, ...(await searched(quick, ask)) };
        },
        stop: () => manager.close(),
      };
    },
  };
}

async function searched(
  quick: boolean,
  ask: (mode: MemoryMode) => Promise<unknown>,
): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  for (const mode of MODES) {
    const times: number[] = [];
    for (let n = 0; n < (quick ? 15 : 60); n++) {
      const from = performance.now();
      await ask(mode);
      times.push(performance.now() - from);
    }
    figures[`${mode} search`] = quantile(
      times.toSorted((a, b) => a - b),
      0.5,
    );
  }
  return figures;
}

/** The same words for everybody: common ones often, rare ones seldom, as in a language. */
class Words {
  #seed = 1;

  text(count: number): string {
    return Array.from({ length: count }, () => this.#next()).join(' ');
  }

  #next(): string {
    this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return `w${String(Math.floor(VOCABULARY ** (this.#seed / 2_147_483_648)))}`;
  }
}
