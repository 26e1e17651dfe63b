/** How long from the call that ends a worker to the next answer? */
import { bare } from '../contenders/bare.ts';
import type { Contender, Course } from '../contenders/contender.ts';
import { piscinaOneTask } from '../contenders/piscina.ts';
import { poolifier } from '../contenders/poolifier.ts';
import { tinypoolOneTask } from '../contenders/tinypool.ts';
import { TROUPE, troupeWith } from '../contenders/troupe.ts';
import { workerpool } from '../contenders/workerpool.ts';
import type { Question } from '../question.ts';
import { within } from '../support/deadline.ts';
import { bootMs, wrongAnswer } from '../support/load.ts';
import { fresh, inRounds, type Entrant } from '../support/rounds.ts';
import { bareProcess } from './start.ts';

const THREAD = 'thread';
const PROCESS = 'process';
/** By hand, in either group: the floor, for who does not even have to notice. */
const BOOT = 'bare: one boot';
const MORTAL: Course = { work: 'mortal', threads: 1 };
const NEXT_ANSWER_MS = 3_000;
/** The call after a crash is made at once; or, where the two must not meet, once the crash is told. */
type Next = 'at once' | 'once told';
/** As soon as it is down, as often as it takes. */
const AT_ONCE = { restart: { intensity: 10_000, backoff: { minMs: 0, maxMs: 0 } } } as const;

export const recovery: Question = {
  name: 'recovery',
  title: 'How long until a crashed plugin answers again?',
  about:
    'One call ends the thread (`process.exit`), or kills the process; from there until the next one is answered. Troupe is given that one right after the first; the pools, which may lose the one with the other, when they have told that the first one failed. Troupe keeps a thread in reserve from the first crash on. For the bare ones it is the time of one boot, made by hand. Comlink has no recovery.',
  unit: 'ms',
  better: 'lower',
  base: BOOT,
  scale: 'own',
  targets: [],
  ask: async ({ quick, ...options }) => {
    const rounds = quick ? 4 : 30;
    const thread = troupeWith(TROUPE, 'restart at once', AT_ONCE);
    const process = troupeWith(TROUPE, "isolation: 'process', restart at once", {
      ...AT_ONCE,
      isolation: 'process',
    });
    const peers = [piscinaOneTask, tinypoolOneTask, workerpool, poolifier];
    const threads = [
      crashing(thread, THREAD, 'at once'),
      booting(bare, THREAD),
      ...peers.map((peer) => crashing(peer, THREAD, 'once told')),
    ];
    const processes = [crashing(process, PROCESS, 'at once'), booting(bareProcess, PROCESS)];
    return [
      ...(await inRounds(threads, { rounds, ...options })),
      ...(await inRounds(processes, { rounds, ...options })),
    ];
  },
};

function crashing({ name, settings, start }: Contender, group: string, next: Next): Entrant {
  return {
    contender: name,
    settings,
    async start() {
      const { call, stop } = await start(MORTAL);
      await call('hello', 0);
      return {
        async measure() {
          const startedAt = performance.now();
          const died = call(group === THREAD ? 'exit' : 'kill', 0).catch(() => undefined);
          if (next === 'once told') await within(NEXT_ANSWER_MS, died, 'the crash is not told');
          const output = await within(NEXT_ANSWER_MS, call('the next one', 0));
          const took = performance.now() - startedAt;
          if (output !== 'the next one') throw wrongAnswer(output);
          await died;
          return { [group]: took };
        },
        stop,
      };
    },
  };
}

function booting(by: Contender, group: string): Entrant {
  const boot = { name: BOOT, settings: by.settings };
  return fresh(boot, async () => ({ [group]: await bootMs(by, MORTAL) }));
}
