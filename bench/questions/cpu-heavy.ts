/** How much faster is heavy work on as many threads as there are cores, and what does a plugin cost it? */
import os from 'node:os';

import { bare } from '../contenders/bare.ts';
import type { Contender } from '../contenders/contender.ts';
import { piscinaOneTask } from '../contenders/piscina.ts';
import { poolifier } from '../contenders/poolifier.ts';
import { tinypoolOneTask } from '../contenders/tinypool.ts';
import { troupe, troupePool } from '../contenders/troupe.ts';
import { workerpool } from '../contenders/workerpool.ts';
import type { Question } from '../question.ts';
import { ratioIn } from '../support/comparison.ts';
import { callsPerSecond, wrongAnswer } from '../support/load.ts';
import { inRounds } from '../support/rounds.ts';

const CORES = os.availableParallelism();
const GROUP = 'heavy jobs';
const ON_ONE = 'troupe, 1 plugin';
const ON_ALL = `troupe, ${String(CORES)} plugins`;
const ON_A_POOL = `troupe, pool of ${String(CORES)}`;
const BARE_ONE = 'bare, 1 worker';
const BARE_ALL = `bare, ${String(CORES)} workers`;

/** A few milliseconds of work, and what comes of it. */
const LIMIT = 80_000;
const PRIMES = 7_837;
/** So that a thread never waits for its next job. */
const JOBS_AHEAD = 2;
/** Of as many times as there are cores. */
const SPEED_UP_SHARE = 0.95;
const OVERHEAD_SHARE = 0.02;

export const cpuHeavy: Question = {
  name: 'cpu-heavy',
  title: 'How many heavy jobs a second, on one thread and on all cores?',
  about: `Each job counts the primes below ${LIMIT.toLocaleString('en')}: a few milliseconds of processor time, and nothing else. The machine has ${String(CORES)} cores, and the main thread wants a little of them.`,
  unit: 'jobs/s',
  better: 'higher',
  base: BARE_ONE,
  scale: 'own',
  targets: [
    ...[ON_ALL, ON_A_POOL].map((contender) =>
      ratioIn(GROUP, { of: contender, against: ON_ONE, atLeast: SPEED_UP_SHARE * CORES }),
    ),
    ratioIn(GROUP, { of: ON_ONE, against: BARE_ONE, atLeast: 1 - OVERHEAD_SHARE }),
    ratioIn(GROUP, { of: ON_ALL, against: BARE_ALL, atLeast: 1 - OVERHEAD_SHARE }),
  ],
  ask: ({ quick, ...options }) => {
    const [rounds, runMs] = quick ? [3, 300] : [11, 900];
    const entrants = [
      { contender: ON_ONE, by: troupe, threads: 1 },
      { contender: ON_ALL, by: troupe, threads: CORES },
      { contender: ON_A_POOL, by: troupePool, threads: CORES },
      { contender: BARE_ONE, by: bare, threads: 1 },
      { contender: BARE_ALL, by: bare, threads: CORES },
      ...[piscinaOneTask, tinypoolOneTask, workerpool, poolifier].map((by: Contender) => ({
        contender: `${by.name}, ${String(CORES)} threads`,
        by,
        threads: CORES,
      })),
    ].map(({ contender, by, threads }) => ({
      contender,
      settings: by.settings,
      async start() {
        const { call, stop } = await by.start({ work: 'primes', threads });
        return {
          async measure() {
            const inFlight = JOBS_AHEAD * threads;
            const rate = await callsPerSecond(
              async (lane) => {
                const output = await call(LIMIT, lane);
                if (output !== PRIMES) throw wrongAnswer(output);
              },
              { inFlight, runMs },
            );
            return { [GROUP]: rate };
          },
          stop,
        };
      },
    }));
    return inRounds(entrants, { rounds, ...options });
  },
};
