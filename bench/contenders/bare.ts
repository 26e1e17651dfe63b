import { Worker } from 'node:worker_threads';

import { PLAIN, times, workerDataFor, workerFile, type Contender } from './contender.ts';

export const BARE = 'bare postMessage';

/** One message each way, matched by number: the floor under every pool. */
export const bare: Contender = {
  name: BARE,
  settings: 'one message a call, matched by number',
  async start(course) {
    const pending = new Map<number, (output: unknown) => void>();
    const workers = times(course.threads, () => {
      const worker = new Worker(workerFile('bare'), {
        ...PLAIN,
        workerData: workerDataFor(course),
      });
      worker.on('message', ({ number, output }: { number: number; output: unknown }) => {
        pending.get(number)?.(output);
        pending.delete(number);
      });
      return worker;
    });
    let last = 0;
    return {
      call: (input, lane, transfer) =>
        new Promise((resolve) => {
          last++;
          pending.set(last, resolve);
          workers[lane % workers.length]?.postMessage({ number: last, input }, transfer);
        }),
      stop: () => Promise.all(workers.map((worker) => worker.terminate())),
    };
  },
};
