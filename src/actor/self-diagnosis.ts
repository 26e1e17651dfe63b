/**
 * An actor looks at itself, where nobody can look at it from outside: a process of its own. It
 * begins at the next turn of the event loop.
 */
import type { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';

import type { ProfileTimes } from '../protocol/messages.ts';

/** @returns what a `.cpuprofile` file holds. */
export async function profileSelf({
  durationMs,
  samplingIntervalUs,
}: ProfileTimes): Promise<string> {
  // asked for only when it is needed: a Node may be built without it
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
  writeHeapSnapshot(file);
}
