import { fileURLToPath } from 'node:url';

import workerpoolModule from 'workerpool';

import { PLAIN, workerDataFor, workerFile, type Contender } from './contender.ts';

/** It gives a worker one call at a time; there is no setting for more. */
export const workerpool: Contender = {
  name: 'workerpool',
  settings: "workerType: 'thread'; one call at a time in each worker",
  async start(course) {
    const pool = workerpoolModule.pool(fileURLToPath(workerFile('workerpool')), {
      workerType: 'thread',
      minWorkers: course.threads,
      maxWorkers: course.threads,
      workerThreadOpts: { ...PLAIN, workerData: workerDataFor(course) },
    });
    return {
      call: async (input, _lane, transfer) =>
        (await pool.exec('work', [input], transfer && { transfer })) as unknown,
      stop: async () => pool.terminate(true),
    };
  },
};
