/** What do stats and deadlines cost? */
import type { ExecuteOptions } from 'troupe';

import { managerOf, TROUPE } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { ratioIn } from '../support/comparison.ts';
import { echoesPerSecond, inFlightSections } from '../support/load.ts';
import { inRounds, type Entrant } from '../support/rounds.ts';

const IN_FLIGHT = inFlightSections(16, 256);
const PLAIN = TROUPE;
const BOTH = `${TROUPE}, both`;
const TIMEOUT_MS = 30_000;
/** Ten times as often as one who scrapes metrics does. */
const ASK_EVERY_MS = 100;

export const statsAndDeadlines: Question = {
  name: 'stats-and-deadlines',
  title: 'What do stats and deadlines cost?',
  about: `Small echo calls to one plugin, without a deadline and with one of ${String(TIMEOUT_MS / 1_000)} s, while nobody asks for stats and while \`statsAll()\` is asked every ${String(ASK_EVERY_MS)} ms. What a plugin counts of its calls, their latencies included, cannot be turned off: it is in all of these, and so in every comparison with others.`,
  unit: 'calls/s',
  better: 'higher',
  base: PLAIN,
  scale: 'shared',
  targets: [...IN_FLIGHT.keys()].map((group) =>
    ratioIn(group, { of: BOTH, against: PLAIN, atLeast: 0.95 }),
  ),
  ask: ({ quick, ...options }) => {
    const [rounds, runMs] = quick ? [5, 200] : [21, 500];
    const deadline = { timeoutMs: TIMEOUT_MS };
    const entrants = [
      plugin(PLAIN, 'neither: no timeoutMs, nobody asks for stats', { runMs }),
      plugin(`${TROUPE}, deadlines`, 'timeoutMs: 30_000', { runMs, deadline }),
      plugin(`${TROUPE}, stats`, 'statsAll() every 100 ms', { runMs, asks: true }),
      plugin(BOTH, 'timeoutMs: 30_000, statsAll() every 100 ms', { runMs, deadline, asks: true }),
    ];
    return inRounds(entrants, { rounds, sections: [...IN_FLIGHT.keys()], ...options });
  },
};

interface How {
  runMs: number;
  deadline?: ExecuteOptions;
  asks?: boolean;
}

function plugin(contender: string, settings: string, { runMs, deadline, asks }: How): Entrant {
  return {
    contender,
    settings,
    async start() {
      const manager = await managerOf({ echo: 'work/echo' });
      return {
        async measure(section) {
          const inFlight = IN_FLIGHT.get(section) ?? 1;
          const timer = asks && setInterval(() => void manager.statsAll(), ASK_EVERY_MS);
          try {
            const rate = await echoesPerSecond(
              (input) => manager.execute('echo', input, deadline),
              { inFlight, runMs },
            );
            return { [section]: rate };
          } finally {
            if (timer) clearInterval(timer);
          }
        },
        stop: () => manager.close(),
      };
    },
  };
}
