/**
 * The heap of one thread, written to a file by that thread itself: main neither carries the bytes
 * nor stands still. The inspector makes it do so, which works inside a loop, too.
 * `worker.getHeapSnapshot()` serialises in main, all at once: with a heap of 25 MiB that held up
 * everybody for 300 ms.
 */
import type { Worker } from 'node:worker_threads';

import { SNAPSHOT_MS, SNAPSHOT_MS_PER_MIB } from '../protocol/limits.ts';
import { fieldOf, firstAnswer, inspectThread, type ThreadInspector } from './inspector.ts';

const MIB = 1024 * 1024;

export class HeapWriter {
  readonly #worker: Worker;
  #writing = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** The thread stands still for it. */
  get isWriting(): boolean {
    return this.#writing > 0;
  }

  /** @returns `false` where the thread does not answer. */
  async write(file: string): Promise<boolean> {
    const inspector = await inspectThread(this.#worker.threadId);
    try {
      const heap = await firstAnswer(inspector, 'Runtime.getHeapUsage');
      const heapBytes = heap?.['usedSize'];
      return typeof heapBytes === 'number' && (await this.#make(inspector, heapBytes, file));
    } finally {
      inspector.close();
    }
  }

  async #make(inspector: ThreadInspector, heapBytes: number, file: string): Promise<boolean> {
    const timeoutMs = SNAPSHOT_MS + (heapBytes / MIB) * SNAPSHOT_MS_PER_MIB;
    const expression = writing(file);
    this.#writing++;
    const answer = await inspector.ask('Runtime.evaluate', { expression, silent: true }, timeoutMs);
    this.#writing--;
    const thrown = answer?.['exceptionDetails'];
    if (thrown !== undefined) throw new Error(said(thrown));
    return answer !== undefined;
  }
}

/** The file is not made again where whoever wanted it has given up. */
function writing(file: string): string {
  const name = JSON.stringify(file);
  return `(() => {
    const { existsSync } = process.getBuiltinModule('node:fs');
    if (existsSync(${name})) process.getBuiltinModule('node:v8').writeHeapSnapshot(${name});
  })()`;
}

function said(thrown: unknown): string {
  const description = fieldOf(fieldOf(thrown, 'exception'), 'description');
  const [firstLine = ''] = typeof description === 'string' ? description.split('\n') : [];
  return firstLine || 'it could not be written';
}
