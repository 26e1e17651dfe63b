/** How long from nothing to the first answer: a bare worker, a plugin, a pool of one? */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { CONTENDERS } from '../contenders/all.ts';
import { bare } from '../contenders/bare.ts';
import { ECHO, PLAIN, workerFile, type Contender } from '../contenders/contender.ts';
import { TROUPE, troupeWith } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { ratioIn } from '../support/comparison.ts';
import { bootMs } from '../support/load.ts';
import { fresh, inRounds, type Entrant } from '../support/rounds.ts';

const THREAD = 'thread';
const PROCESS = 'process';
/** Without a library, in either group. */
const FLOOR = 'bare';

export const start: Question = {
  name: 'start',
  title: 'How long does a start take, to the first answer?',
  about:
    'From `new Worker`, or the making of the manager or pool, until one small call is answered: load, init and start of a plugin, its module imported. No thread is in reserve. And the same for a process.',
  unit: 'ms',
  better: 'lower',
  base: FLOOR,
  scale: 'own',
  targets: [ratioIn(THREAD, { of: TROUPE, against: FLOOR, atMost: 1.5 })],
  ask: async ({ quick, ...options }) => {
    const rounds = quick ? 5 : 30;
    const inProcess = troupeWith(TROUPE, "isolation: 'process'", {
      isolation: 'process',
    });
    const threads = CONTENDERS.map((contender) =>
      timed(contender === bare ? { ...bare, name: FLOOR } : contender, THREAD),
    );
    const processes = [inProcess, { ...bareProcess, name: FLOOR }].map((contender) =>
      timed(contender, PROCESS),
    );
    return [
      ...(await inRounds(threads, { rounds, ...options })),
      ...(await inRounds(processes, { rounds, ...options })),
    ];
  },
};

/** Forked and not asked for anything but one answer. */
export const bareProcess: Contender = {
  name: 'bare process',
  settings: 'child_process.fork',
  async start() {
    const child = fork(fileURLToPath(workerFile('bare-process')), PLAIN);
    return {
      async call(input) {
        child.send(input as object);
        const [output] = (await once(child, 'message')) as [unknown];
        return output;
      },
      async stop() {
        child.kill('SIGKILL');
        await once(child, 'exit');
      },
    };
  },
};

function timed(contender: Contender, group: string): Entrant {
  return fresh(contender, async () => ({ [group]: await bootMs(contender, ECHO) }));
}
