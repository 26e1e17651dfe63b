/** How a thread is diagnosed: through the inspector, whatever it is inside of. */
import type { Worker } from 'node:worker_threads';

import { profileThread } from './cpu-profile.ts';
import { HeapWriter } from './heap-snapshot.ts';
import type { LifeDiagnosis } from './life.ts';

export function diagnosisOf(worker: Worker): LifeDiagnosis {
  const heap = new HeapWriter(worker);
  return {
    cpuProfile: (request) => profileThread(worker, request),
    heapSnapshot: (file) => heap.write(file),
    get standsStill() {
      return heap.isWriting;
    },
  };
}
