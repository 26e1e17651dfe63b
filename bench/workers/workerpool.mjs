import { workerData } from 'node:worker_threads';

import workerpool from 'workerpool';

const { default: work } = await import(workerData.work);

workerpool.worker({
  work: workerData.moves
    ? (input) => {
        const output = work(input);
        return new workerpool.Transfer(output, [output.buffer]);
      }
    : (input) => work(input),
});
