import { Worker } from 'node:worker_threads';

import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

import { PLAIN, times, workerDataFor, workerFile, type Contender } from './contender.ts';

export const comlink: Contender = {
  name: 'comlink',
  settings: 'one proxy a worker',
  async start(course) {
    const lanes = times(course.threads, () => {
      const worker = new Worker(workerFile('comlink'), {
        ...PLAIN,
        workerData: workerDataFor(course),
      });
      return { worker, work: Comlink.wrap<(input: unknown) => unknown>(nodeEndpoint(worker)) };
    });
    return {
      call: async (input, lane, transfer) =>
        lanes[lane % lanes.length]?.work(
          transfer ? Comlink.transfer(input as object, transfer) : input,
        ),
      stop: () => Promise.all(lanes.map(({ worker }) => worker.terminate())),
    };
  },
};
