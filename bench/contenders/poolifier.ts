import { fileURLToPath } from 'node:url';

import { FixedThreadPool, WorkerChoiceStrategies } from 'poolifier';

import { PLAIN, workerDataFor, workerFile, type Contender } from './contender.ts';

export const poolifier: Contender = {
  name: 'poolifier',
  settings: 'FixedThreadPool, ROUND_ROBIN, no tasks queue, no events; a result is always copied',
  async start(course) {
    const pool = new FixedThreadPool(course.threads, fileURLToPath(workerFile('poolifier')), {
      enableEvents: false,
      enableTasksQueue: false,
      // the one strategy that takes no times of each task
      workerChoiceStrategy: WorkerChoiceStrategies.ROUND_ROBIN,
      workerOptions: { ...PLAIN, workerData: workerDataFor(course) },
    });
    return {
      call: (input, _lane, transfer) => pool.execute(input, undefined, undefined, transfer),
      stop: () => pool.destroy(),
    };
  },
};
