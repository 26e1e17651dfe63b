/**
 * An actor looks at itself, where nobody can look at it from outside: a process of its own. It
 * begins at the next turn of the event loop. What it needs of Node is loaded then: it would make
 * every start longer.
 */
import type { Session } from 'node:inspector/promises';

import type { ProfileTimes } from '../protocol/messages.ts';

/** @returns what a `.cpuprofile` file holds. */
export async function profileSelf({
  durationMs,
  samplingIntervalUs,
}: ProfileTimes): Promise<string> {
  const { setTimeout: sleep } = process.getBuiltinModule('node:timers/promises');
  // a Node may be built without it
  const inspector = process.getBuiltinModule('node:inspector/promises');
  const session: Session = new inspector.Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: samplingIntervalUs });
    await session.post('Profiler.start');
    await sleep(durationMs);
    const { profile } = await session.post('Profiler.stop');
    return JSON.stringify(profile);
  } finally {
    session.disconnect();
  }
}

/** Stands still until it is written. */
export function writeOwnHeap(file: string): void {
  process.getBuiltinModule('node:v8').writeHeapSnapshot(file);
}
