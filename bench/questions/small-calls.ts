/** How many small calls a second does one thread answer, at 16, 256 and 4,096 in flight? */
import { CONTENDERS } from '../contenders/all.ts';
import { BARE } from '../contenders/bare.ts';
import { ECHO } from '../contenders/contender.ts';
import { TROUPE } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { BEST_PEER, ratioIn } from '../support/comparison.ts';
import { echoesPerSecond, inFlightSections } from '../support/load.ts';
import { entrant, inRounds } from '../support/rounds.ts';

const IN_FLIGHT = inFlightSections(16, 256, 4_096);

export const smallCalls: Question = {
  name: 'small-calls',
  title: 'How many small calls a second does one thread answer?',
  about:
    'A small object goes to one thread and comes back; so many callers each wait for their answer and call again.',
  unit: 'calls/s',
  better: 'higher',
  base: BARE,
  scale: 'shared',
  targets: [
    ratioIn('256 in flight', { of: TROUPE, against: BEST_PEER, atLeast: 8 }),
    ratioIn('256 in flight', { of: TROUPE, against: BARE, atLeast: 2.2 }),
  ],
  ask: ({ quick, ...options }) => {
    const [rounds, runMs] = quick ? [3, 120] : [11, 500];
    const entrants = CONTENDERS.map((contender) =>
      entrant(contender, async () => {
        const { call, stop } = await contender.start(ECHO);
        return {
          async measure(section: string) {
            const inFlight = IN_FLIGHT.get(section) ?? 1;
            return { [section]: await echoesPerSecond(call, { inFlight, runMs }) };
          },
          stop,
        };
      }),
    );
    return inRounds(entrants, { rounds, sections: [...IN_FLIGHT.keys()], ...options });
  },
};
