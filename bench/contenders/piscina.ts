import { fileURLToPath } from 'node:url';

import { FixedQueue, Piscina } from 'piscina';

import { PLAIN, workFileFor, type Contender } from './contender.ts';

interface PiscinaSettings {
  concurrentTasksPerWorker: number;
  atomics: 'sync' | 'async' | 'disabled';
}

export const piscina = piscinaWith({ concurrentTasksPerWorker: 64, atomics: 'sync' });

/** As it comes: a task at a time in each worker. */
export const piscinaOneTask = piscinaWith({ concurrentTasksPerWorker: 1, atomics: 'sync' });

function piscinaWith({ concurrentTasksPerWorker, atomics }: PiscinaSettings): Contender {
  return {
    name: 'piscina',
    settings: `concurrentTasksPerWorker: ${String(concurrentTasksPerWorker)}, atomics: '${atomics}', FixedQueue`,
    async start(course) {
      const pool = new Piscina({
        ...PLAIN,
        filename: fileURLToPath(workFileFor(course, 'piscina')),
        minThreads: course.threads,
        maxThreads: course.threads,
        concurrentTasksPerWorker,
        atomics,
        taskQueue: new FixedQueue(),
      });
      return {
        call: (input, _lane, transfer) =>
          pool.run(input, transfer && { transferList: transfer }) as Promise<unknown>,
        stop: () => pool.destroy(),
      };
    },
  };
}
