import { fileURLToPath } from 'node:url';

import { Piscina } from 'piscina';

import { workerFile, type Contender } from './contender.ts';

const CONCURRENT_TASKS = 64;

/** Its best setting for small calls: many tasks in one worker. */
export const piscina: Contender = {
  name: 'piscina',
  settings: `1 thread, concurrentTasksPerWorker: ${String(CONCURRENT_TASKS)}`,
  async start() {
    const pool = new Piscina({
      filename: fileURLToPath(workerFile('echo')),
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: CONCURRENT_TASKS,
    });
    await pool.run(0);
    return { call: (input) => pool.run(input) as Promise<unknown>, stop: () => pool.destroy() };
  },
};
