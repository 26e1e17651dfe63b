/** How many small calls a second do several threads answer behind one name? */
import os from 'node:os';

import type { Contender } from '../contenders/contender.ts';
import { piscina, piscinaOneTask } from '../contenders/piscina.ts';
import { poolifier } from '../contenders/poolifier.ts';
import { tinypool, tinypoolOneTask } from '../contenders/tinypool.ts';
import { troupePool, troupeReplicas } from '../contenders/troupe.ts';
import { workerpool } from '../contenders/workerpool.ts';
import type { Question } from '../question.ts';
import { ratioIn } from '../support/comparison.ts';
import { echoesPerSecond, inFlightSections } from '../support/load.ts';
import { entrant, inRounds } from '../support/rounds.ts';

const THREADS = os.availableParallelism();
const IN_FLIGHT = inFlightSections(16, 256);
const ONE_TASK = 'one task at a time';

const PISCINA_ONE = `${piscina.name}, ${ONE_TASK}`;

const contenders: readonly Contender[] = [
  troupeReplicas,
  troupePool,
  piscina,
  tinypool,
  { ...piscinaOneTask, name: PISCINA_ONE },
  { ...tinypoolOneTask, name: `${tinypool.name}, ${ONE_TASK}` },
  workerpool,
  poolifier,
];

export const pool: Question = {
  name: 'pool',
  title: 'How many small calls a second do several threads answer behind one name?',
  about: `A small object goes to whichever of ${String(THREADS)} threads has room and comes back, for a function that could run in any of them. A pool of Troupe's gives each thread one call at a time, as workerpool does and the others do unless they are told otherwise; its replicas take as many as come. The machine has ${String(os.availableParallelism())} cores, and the main thread wants one of them.`,
  unit: 'calls/s',
  better: 'higher',
  base: piscina.name,
  scale: 'shared',
  targets: [
    ...[piscina, tinypool, poolifier].map(({ name }) =>
      ratioIn('256 in flight', { of: troupeReplicas.name, against: name, atLeast: 1 }),
    ),
    ratioIn('256 in flight', { of: troupePool.name, against: PISCINA_ONE, atLeast: 1 }),
  ],
  ask: ({ quick, ...options }) => {
    const [rounds, runMs] = quick ? [3, 120] : [11, 500];
    const entrants = contenders.map((contender) =>
      entrant(contender, async () => {
        const { call, stop } = await contender.start({ work: 'echo', threads: THREADS });
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
