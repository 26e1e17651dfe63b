/** What does a call cost where there are 1, 8 and 64 plugins? */
import { bare, BARE } from '../contenders/bare.ts';
import type { Contender } from '../contenders/contender.ts';
import { TROUPE, troupe } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { echoesPerSecond } from '../support/load.ts';
import { inRounds, type Entrant } from '../support/rounds.ts';

const COUNTS = [1, 8, 64] as const;
const MOST = 64;
const IN_FLIGHT = 16;
const PLUGINS = (count: number): string => `${String(count)} ${count === 1 ? 'plugin' : 'plugins'}`;
/** V8 compiles each thread's code by itself, when it has seen it often: for each thread, before anything counts (ms). */
const WARM_UP_MS = 250;
const ONE_CALLED = 'one is called';
const ALL_CALLED = 'all are called';

const group = (how: string, count: number): string => `${how}, ${PLUGINS(count)}`;

export const manyPlugins: Question = {
  name: 'many-plugins',
  title: 'What does a call cost with 1, 8 and 64 plugins?',
  about: `Small echo calls, ${String(IN_FLIGHT)} in flight for each plugin that is called: time on the clock for each call. Either one plugin is called and the others are idle, or all are called at once, and then as many threads as there are plugins want the processor.`,
  unit: 'µs',
  better: 'lower',
  base: BARE,
  scale: 'shared',
  targets: [ONE_CALLED, ALL_CALLED].map((how) => ({
    of: { group: group(how, MOST), contender: TROUPE },
    against: { group: group(how, 1), contender: TROUPE },
    bound: { atMost: 1.2 },
  })),
  ask: ({ quick, ...options }) => {
    const [rounds, runMs] = quick ? [3, 250] : [11, 400];
    const warmUpMs = quick ? 0 : WARM_UP_MS;
    const entrants = [troupe, bare].map((contender) => everyCount(contender, runMs, warmUpMs));
    return inRounds(entrants, { rounds, sections: [ONE_CALLED, ALL_CALLED], ...options });
  },
};

/** All counts in one turn: they are set against each other. */
function everyCount(
  { name, settings, start }: Contender,
  runMs: number,
  warmUpMs: number,
): Entrant {
  return {
    contender: name,
    settings,
    async start() {
      const fleets = await Promise.all(
        COUNTS.map(async (count) => ({
          count,
          fleet: await start({ work: 'echo', threads: count }),
        })),
      );
      for (const { count, fleet } of fleets) {
        if (warmUpMs === 0) break;
        await echoesPerSecond((input, lane) => fleet.call(input, lane % count), {
          inFlight: IN_FLIGHT * count,
          runMs: warmUpMs * count,
        });
      }
      return {
        async measure(how) {
          const figures: Record<string, number> = {};
          for (const { count, fleet } of fleets) {
            const called = how === ONE_CALLED ? 1 : count;
            const rate = await echoesPerSecond((input, lane) => fleet.call(input, lane % called), {
              inFlight: IN_FLIGHT * called,
              runMs,
            });
            figures[group(how, count)] = 1_000_000 / rate;
          }
          return figures;
        },
        stop: () => Promise.all(fleets.map(({ fleet }) => fleet.stop())),
      };
    },
  };
}
