/** How much memory does an idle plugin take, against an idle worker? */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { CONTENDERS } from '../contenders/all.ts';
import { BARE } from '../contenders/bare.ts';
import { TROUPE, troupePool } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { ratioIn } from '../support/comparison.ts';
import type { Held } from '../support/holder.ts';
import { fresh, inRounds } from '../support/rounds.ts';

const GROUP = 'one idle thread';
const HOLDER = fileURLToPath(new URL('../support/holder.ts', import.meta.url));
const THREADS = { quick: 8, whole: 24 };

export const idleMemory: Question = {
  name: 'idle-memory',
  title: 'How much memory does an idle plugin take?',
  about: `A process of its own for each turn: it starts a few threads, so that everything shared is there, then ${String(THREADS.whole)} more that each answer one call, and waits until all is quiet. What its resident memory grew by, for each of these.`,
  unit: 'MiB',
  better: 'lower',
  base: BARE,
  scale: 'own',
  targets: [ratioIn(GROUP, { of: TROUPE, against: BARE, atMost: 1.25 })],
  ask: ({ quick, ...options }) => {
    const all = [...CONTENDERS, troupePool];
    const contenders = quick ? all.filter(({ name }) => [TROUPE, BARE].includes(name)) : all;
    const threads = quick ? THREADS.quick : THREADS.whole;
    const entrants = contenders.map((contender) =>
      fresh(contender, async () => ({ [GROUP]: await heldMiB({ name: contender.name, threads }) })),
    );
    return inRounds(entrants, { rounds: quick ? 2 : 5, warmUp: false, ...options });
  },
};

async function heldMiB(held: Held): Promise<number> {
  const child = fork(HOLDER, [JSON.stringify(held)]);
  const ended = new AbortController();
  child.once('exit', () => ended.abort(new Error('the process that holds it ended')));
  try {
    const [mib] = (await once(child, 'message', { signal: ended.signal })) as [number];
    return mib;
  } finally {
    child.kill('SIGKILL');
  }
}
