import { Tinypool } from 'tinypool';

import { PLAIN, workFileFor, type Contender } from './contender.ts';

interface TinypoolSettings {
  concurrentTasksPerWorker: number;
  useAtomics: boolean;
}

export const tinypool = tinypoolWith({ concurrentTasksPerWorker: 64, useAtomics: true });
export const tinypoolOneTask = tinypoolWith({ concurrentTasksPerWorker: 1, useAtomics: true });

function tinypoolWith(settings: TinypoolSettings): Contender {
  return {
    name: 'tinypool',
    settings: `concurrentTasksPerWorker: ${String(settings.concurrentTasksPerWorker)}, useAtomics: ${String(settings.useAtomics)}`,
    async start(course) {
      const pool = new Tinypool({
        ...PLAIN,
        ...settings,
        filename: workFileFor(course, 'tinypool').href,
        minThreads: course.threads,
        maxThreads: course.threads,
      });
      return {
        call: (input, _lane, transfer) =>
          pool.run(input, transfer && { transferList: transfer }) as Promise<unknown>,
        stop: () => pool.destroy(),
      };
    },
  };
}
