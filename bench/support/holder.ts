/** A process that holds threads of one contender, and says what each takes. Forked by idle-memory. */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

import { CONTENDERS } from '../contenders/all.ts';
import { times, type Running } from '../contenders/contender.ts';
import { troupePool } from '../contenders/troupe.ts';

export interface Held {
  /** Of a contender. */
  name: string;
  threads: number;
}

/** Kept: a contender whose handle is collected may end its threads. */
const held: (Running | undefined)[] = [];
const FIRST_THREADS = 2;
const QUIET_MS = 800;
const MIB = 2 ** 20;

const { name, threads } = JSON.parse(process.argv[2] ?? '{}') as Held;
const contender = [...CONTENDERS, troupePool].find((each) => each.name === name);

await hold(FIRST_THREADS);
const before = await residentBytes();
await hold(threads);
const after = await residentBytes();
process.send?.((after - before) / threads / MIB);

async function hold(threads: number): Promise<void> {
  const running = await contender?.start({ work: 'echo', threads });
  held.push(running);
  // all at once, so that a pool uses all of its threads
  await Promise.all(times(threads, async (lane) => running?.call(lane, lane)));
}

async function residentBytes(): Promise<number> {
  await sleep(QUIET_MS);
  globalThis.gc?.();
  await sleep(QUIET_MS / 4);
  return process.memoryUsage.rss();
}
