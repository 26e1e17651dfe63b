/** What does a call to a script cost, beside the same call to a module? */
import { ECHO } from '../contenders/contender.ts';
import { troupeWith } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { echoesPerSecond } from '../support/load.ts';
import { entrant, inRounds } from '../support/rounds.ts';

const MODULE = 'module';
const GROUPS = [1, 16, 256].map((inFlight) => ({
  inFlight,
  group: `${String(inFlight)} in flight`,
}));

export const scripts: Question = {
  name: 'scripts',
  title: 'What does a call to a script cost, beside a module?',
  about:
    'The same function of one line, as a module that V8 runs, and as a script in a QuickJS VM inside the plugin’s thread: time on the clock for each small call. The value crosses once more, into the VM and out of it, and an interpreter runs the code.',
  unit: 'µs',
  better: 'lower',
  base: MODULE,
  scale: 'own',
  targets: [],
  ask: ({ quick, ...options }) => {
    const [rounds, runMs] = quick ? [3, 150] : [11, 500];
    const entrants = [
      troupeWith(MODULE, 'defaults'),
      troupeWith('script', "host: 'script'", { host: 'script' }),
    ].map((contender) =>
      entrant(contender, async () => {
        const { call, stop } = await contender.start(ECHO);
        return {
          async measure() {
            const figures: Record<string, number> = {};
            for (const { inFlight, group } of GROUPS) {
              figures[group] = 1_000_000 / (await echoesPerSecond(call, { inFlight, runMs }));
            }
            return figures;
          },
          stop,
        };
      }),
    );
    return inRounds(entrants, { rounds, ...options });
  },
};
