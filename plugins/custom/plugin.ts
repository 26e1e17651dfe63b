/** A template of a plugin with a domain of its own: it counts words, over all texts it is given. */
import { definePlugin } from 'troupe/plugin';

/** What it is asked, by `op`. */
export type WordInput =
  | { op: 'add'; text: string }
  /** The most frequent words, most first. */
  | { op: 'top'; limit?: number };

export type WordOutput = { words: number } | [word: string, count: number][];

export default definePlugin<WordInput, WordOutput>((ctx) => {
  // variables belong to one life of the plugin
  let counts = new Map<string, number>();
  const topMax = readTopMax(ctx.config['topMax']);
  const words = ctx.metrics.counter('words');

  return {
    /** Once in each life, before calls: open what you need. */
    init: () => ctx.log.info('ready', { topMax }),

    execute(given, call) {
      const input = checked(given);
      if (input.op === 'top') return top(counts, Math.min(input.limit ?? topMax, topMax));
      const found = input.text.toLowerCase().match(/\p{L}+/gu) ?? [];
      for (const word of found) {
        call.checkpoint(); // here a pause takes effect, and a deadline
        counts.set(word, (counts.get(word) ?? 0) + 1);
      }
      words.add(found.length);
      return { words: found.length };
    },

    /** What `manager.health()` and `manager.stats()` say of it. */
    health: () => ({ healthy: true, words: counts.size }),
    stats: () => ({ differentWords: counts.size }),

    /** Carried into the next version at a reload. */
    snapshot: () => counts,
    restore: (saved: Map<string, number>) => {
      counts = saved;
    },

    /** Close what `init` opened. */
    stop: () => ctx.log.info('stopped'),
  };
});

function top(counts: ReadonlyMap<string, number>, limit: number): [string, number][] {
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, limit);
}

/** An error in a hook or in the setup says what to mend; `load` fails with it. */
function readTopMax(value: unknown): number {
  if (isCount(value)) return value;
  throw new TypeError('config.topMax must be a whole number above 0');
}

/**
 * What comes from outside is not known to have the type that is written here. The caller gets the
 * error as the `cause` of `CALL_FAILED`, with its code.
 */
function checked(input: unknown): WordInput {
  const { op, text, limit } = Object(input) as Record<string, unknown>;
  if (op === 'add' && typeof text === 'string') return { op, text };
  if (op === 'top' && limit === undefined) return { op };
  if (op === 'top' && isCount(limit)) return { op, limit };
  const what = "the input must be { op: 'add', text } or { op: 'top', limit? }, limit 1 or more";
  throw Object.assign(new TypeError(what), { code: 'E_WORDS_INPUT' });
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
}
