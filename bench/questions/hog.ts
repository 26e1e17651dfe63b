/** Does a hog slow its neighbours? */
import { bare, BARE } from '../contenders/bare.ts';
import { ECHO, type Contender } from '../contenders/contender.ts';
import { troupe } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { echoLatencies } from '../support/load.ts';
import { inRounds, type Entrant } from '../support/rounds.ts';

export const hog: Question = {
  name: 'hog',
  title: 'Does a hog slow its neighbours?',
  about:
    'Small echo calls to one plugin, one at a time, alone and while another plugin is inside a loop that never gives way. The hog takes a core; its neighbour and the main thread have what is left. Beside it the same with bare workers, where only the system shares out the cores.',
  unit: 'µs',
  better: 'lower',
  base: `${BARE}, alone`,
  scale: 'own',
  targets: [],
  ask: ({ quick, ...options }) => {
    const [rounds, runMs] = quick ? [3, 200] : [15, 600];
    const entrants = [troupe, bare].flatMap((contender) => [
      beside(contender, { isHogged: false, runMs }),
      beside(contender, { isHogged: true, runMs }),
    ]);
    return inRounds(entrants, { rounds, ...options });
  },
};

interface How {
  isHogged: boolean;
  runMs: number;
}

function beside({ name, settings, start }: Contender, { isHogged, runMs }: How): Entrant {
  return {
    contender: `${name}, ${isHogged ? 'beside a hog' : 'alone'}`,
    settings,
    async start() {
      const [neighbour, glutton] = await Promise.all([
        start(ECHO),
        start({ work: 'hog', threads: 1 }),
      ]);
      return {
        async measure() {
          await glutton.call(1, 0);
          const done = isHogged && glutton.call(runMs, 0);
          const { p50, p99 } = await echoLatencies(neighbour.call, runMs);
          await done;
          return { p50, p99 };
        },
        stop: () => Promise.all([neighbour.stop(), glutton.stop()]),
      };
    },
  };
}
