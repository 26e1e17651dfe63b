import { Worker } from 'node:worker_threads';

import { workerFile, type Contender } from './contender.ts';

/** One message each way, matched by number: the floor under every pool. */
export const bare: Contender = {
  name: 'bare postMessage',
  settings: 'one message a call',
  async start() {
    const worker = new Worker(workerFile('bare-echo'));
    await new Promise((resolve) => worker.once('online', resolve));
    const pending = new Map<number, (output: unknown) => void>();
    let last = 0;
    worker.on('message', ({ number, output }: { number: number; output: unknown }) => {
      pending.get(number)?.(output);
      pending.delete(number);
    });
    return {
      call: (input) =>
        new Promise((resolve) => {
          last++;
          pending.set(last, resolve);
          worker.postMessage({ number: last, input });
        }),
      stop: () => worker.terminate(),
    };
  },
};
