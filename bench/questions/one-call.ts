/** What does one small call cost, when no other is open? */
import { CONTENDERS } from '../contenders/all.ts';
import { BARE } from '../contenders/bare.ts';
import { ECHO } from '../contenders/contender.ts';
import { TROUPE } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { BEST_PEER, ratioIn } from '../support/comparison.ts';
import { echoLatencies } from '../support/load.ts';
import { entrant, inRounds } from '../support/rounds.ts';

export const oneCall: Question = {
  name: 'one-call',
  title: 'What does one small call cost?',
  about:
    'A small object goes to one thread and comes back, one call at a time; the median call, and the one in a hundred that takes longest. A sleeping thread has to be woken for each call, so most of this is the price of two wake-ups on this machine, and the spread is its scheduler.',
  unit: 'µs',
  better: 'lower',
  base: BARE,
  scale: 'own',
  targets: [
    ratioIn('p50', { of: TROUPE, against: BARE, atMost: 0.5 }),
    ratioIn('p50', { of: TROUPE, against: BEST_PEER, atMost: 0.25 }),
  ],
  ask: ({ quick, ...options }) => {
    const [rounds, runMs] = quick ? [3, 200] : [15, 500];
    const entrants = CONTENDERS.map((contender) =>
      entrant(contender, async () => {
        const { call, stop } = await contender.start(ECHO);
        return { measure: async () => ({ ...(await echoLatencies(call, runMs)) }), stop };
      }),
    );
    return inRounds(entrants, { rounds, ...options });
  },
};
