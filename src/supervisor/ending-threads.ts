/**
 * Threads that were told to end, until they are gone. Node's inspector must not speak to these: a
 * message that meets the last moment of a thread ends the whole process (Node 20.20: its
 * `MainThreadInterface` is posted to while it is destroyed).
 */
import type { Worker } from 'node:worker_threads';

import { TERMINATE_TIMEOUT_MS } from '../protocol/limits.ts';
import { within } from './deadline.ts';

/** By thread: settles when it is gone. */
const ending = new Map<number, Promise<void>>();

/** Ends the thread. Settles once it is gone. */
export async function endThread(worker: Worker): Promise<void> {
  const { threadId } = worker;
  // gone already
  if (threadId === -1) return;
  const known = ending.get(threadId);
  if (known) return known;
  const gone = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      ending.delete(threadId);
      resolve();
    });
  });
  ending.set(threadId, gone);
  void worker.terminate();
  return gone;
}

export function isEnding(threadId: number): boolean {
  return ending.has(threadId);
}

/** Settles when none is about to go. One that is blocked is not waited for: it stays as it is. */
export async function whenNoneEnds(): Promise<void> {
  const waitedFor = new Set<Promise<void>>();
  for (;;) {
    const left = [...ending.values()].filter((gone) => !waitedFor.has(gone));
    if (left.length === 0) return;
    for (const gone of left) waitedFor.add(gone);
    await within(Promise.all(left), TERMINATE_TIMEOUT_MS);
  }
}
