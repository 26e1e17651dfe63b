/** The plugin `scoring`: what its rules say of an order, and how many it has scored so far. */
import { definePlugin } from 'troupe/plugin';

import { type Order, rules } from './rules.ts';

export interface Score {
  readonly points: number;
  readonly reasons: readonly string[];
  /** Orders scored, by all versions together. */
  readonly scored: number;
}

export default definePlugin<Order, Score>(() => {
  let scored = 0;
  return {
    execute(order) {
      const hits = rules.filter((rule) => rule.applies(order));
      scored++;
      return {
        points: hits.reduce((sum, { points }) => sum + points, 0),
        reasons: hits.map(({ reason }) => reason),
        scored,
      };
    },
    snapshot: () => scored,
    restore: (saved: number) => {
      scored = saved;
    },
  };
});
