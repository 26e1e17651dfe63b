/** How many small chunks a second does a stream carry, against one postMessage for each? */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { PLAIN, workerFile } from '../contenders/contender.ts';
import { managerOf, TROUPE } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { ratioIn } from '../support/comparison.ts';
import { RUN_UP, wrongAnswer } from '../support/load.ts';
import { inRounds, type Entrant } from '../support/rounds.ts';

const GROUP = 'small chunks';
const PUSH = 'bare: one message a chunk';

export const streams: Question = {
  name: 'streams',
  title: 'How many small chunks a second does one stream carry?',
  about:
    'One thread makes small objects, the main thread reads them in order. Troupe stops the producer 64 chunks ahead of the reader, or up to 1,024 where the reader has to wait. The bare one is the floor: it pushes without looking back, which no slow reader survives; beside it the same with a window of 64, and the stream that Node itself can hand to another thread. The pools have no streams.',
  unit: 'chunks/s',
  better: 'higher',
  base: PUSH,
  scale: 'own',
  targets: [ratioIn(GROUP, { of: TROUPE, against: PUSH, atLeast: 3 })],
  ask: ({ quick, ...options }) => {
    const [rounds, runMs] = quick ? [3, 150] : [15, 600];
    const entrants = [
      way(TROUPE, 'for await of manager.stream, a generator', plugin),
      way(PUSH, 'no back-pressure', () => bare('push')),
      way('bare: a message a chunk, window', '64 ahead, credit for 32 at a time', () =>
        bare('window'),
      ),
      way('ReadableStream', 'transferred, highWaterMark: 64', readable),
    ].map(({ contender, settings, start }): Entrant => ({
      contender,
      settings,
      async start() {
        const { read, stop } = await start();
        let count = 0;
        return {
          async measure() {
            if (count === 0) count = await fitting(read, runMs);
            return { [GROUP]: await chunksPerSecond(read, count) };
          },
          stop,
        };
      },
    }));
    return inRounds(entrants, { rounds, ...options });
  },
};

interface Stream {
  /** Reads so many chunks to their end: the last one. */
  read(count: number): Promise<Chunk | undefined>;
  stop(): Promise<unknown>;
}

interface Chunk {
  id: number;
}

function way(contender: string, settings: string, start: () => Promise<Stream>) {
  return { contender, settings, start };
}

async function fitting(read: Stream['read'], runMs: number): Promise<number> {
  await read(1_000);
  return Math.ceil((await chunksPerSecond(read, 2_000)) * (runMs / 1_000));
}

async function chunksPerSecond(read: Stream['read'], count: number): Promise<number> {
  await read(Math.ceil(count * RUN_UP));
  const startedAt = performance.now();
  const last = await read(count);
  if (last?.id !== count - 1) throw wrongAnswer(last);
  return count / ((performance.now() - startedAt) / 1_000);
}

async function plugin(): Promise<Stream> {
  const manager = await managerOf({ stream: 'stream' });
  return {
    read: (count) => lastOf(manager.stream<Chunk>('stream', count)),
    stop: () => manager.close(),
  };
}

const CREDIT = 32;

async function bare(kind: 'push' | 'window'): Promise<Stream> {
  const worker = new Worker(workerFile('bare-stream'), PLAIN);
  return {
    read: (count) =>
      new Promise((resolve, reject) => {
        let next = 0;
        worker.on('message', function take(chunk: Chunk) {
          if (chunk.id !== next) reject(wrongAnswer(chunk));
          next++;
          if (kind === 'window' && next % CREDIT === 0) {
            worker.postMessage({ way: 'credit', credit: CREDIT });
          }
          if (next < count) return;
          worker.off('message', take);
          resolve(chunk);
        });
        worker.postMessage({ way: kind, count });
      }),
    stop: () => worker.terminate(),
  };
}

async function readable(): Promise<Stream> {
  const worker = new Worker(workerFile('bare-stream'), PLAIN);
  return {
    async read(count) {
      worker.postMessage({ way: 'readable', count });
      const [stream] = (await once(worker, 'message')) as [AsyncIterable<Chunk>];
      return lastOf(stream);
    },
    stop: () => worker.terminate(),
  };
}

async function lastOf(stream: AsyncIterable<Chunk>): Promise<Chunk | undefined> {
  let last: Chunk | undefined;
  let next = 0;
  for await (const chunk of stream) {
    if (chunk.id !== next) throw wrongAnswer(chunk);
    next++;
    last = chunk;
  }
  return last;
}
