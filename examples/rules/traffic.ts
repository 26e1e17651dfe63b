/** Orders that come in at a steady rate, whatever happens to who scores them. */
import type { PluginHandle } from 'troupe';

import type { Order } from './scoring/rules.ts';
import type { Score } from './scoring/scoring.ts';

export interface Traffic {
  readonly asked: number;
  readonly failed: readonly Error[];
  /** Scores, in the order in which they were asked for. */
  readonly scores: readonly (Score | undefined)[];
  /** No more orders; settles when all are scored. */
  stop(): Promise<void>;
}

const TICK_MS = 10;
const COUNTRIES = ['DE', 'FR', 'PT', 'SE'];

export function startTraffic(scoring: PluginHandle<Order, Score>, callsPerSec: number): Traffic {
  const scores: (Score | undefined)[] = [];
  const failed: Error[] = [];
  const open = new Set<Promise<void>>();
  const startedAt = performance.now();
  const ask = async (number: number): Promise<void> => {
    try {
      scores[number] = await scoring.execute(orderOf(number));
    } catch (error) {
      failed.push(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * callsPerSec;
    while (scores.length < due) {
      const number = scores.push(undefined) - 1;
      const asked = ask(number).finally(() => open.delete(asked));
      open.add(asked);
    }
  }, TICK_MS);
  return {
    get asked() {
      return scores.length;
    },
    failed,
    scores,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}

function orderOf(number: number): Order {
  return {
    amount: (number * 37) % 1_000,
    country: COUNTRIES[number % COUNTRIES.length] ?? 'DE',
    isNewCustomer: number % 3 === 0,
  };
}
