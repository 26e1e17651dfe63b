/** The CPU profile of one thread, taken from outside: also while it is inside a loop. */
import type { Profiler } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';

import { PROFILE_ANSWER_MS } from '../protocol/limits.ts';
import type { ProfileTimes } from '../protocol/messages.ts';
import { firstAnswer, inspectThread, type ThreadInspector } from './inspector.ts';

/** What a `.cpuprofile` file holds. */
export type CpuProfile = Profiler.Profile;

export interface ProfileRequest extends ProfileTimes {
  /** Ends it early. */
  signal: AbortSignal;
}

export async function profileThread(
  { threadId }: Worker,
  { durationMs, samplingIntervalUs: interval, signal }: ProfileRequest,
): Promise<CpuProfile | undefined> {
  const inspector = await inspectThread(threadId);
  if (signal.aborted) {
    inspector.close();
    return undefined;
  }
  // said at once at an abort: the next profile asks the same session
  const disable = once(() => {
    // a thread that is blocked reads it when it can
    void inspector.ask('Profiler.disable').then(() => {
      inspector.close();
    });
  });
  signal.addEventListener('abort', disable);
  try {
    const enabled = await firstAnswer(inspector, 'Profiler.enable');
    if (!enabled || signal.aborted) return undefined;
    const started =
      (await inspector.ask('Profiler.setSamplingInterval', { interval })) &&
      (await inspector.ask('Profiler.start'));
    if (!started) return undefined;
    await forgetOptimised(inspector);
    await elapsed(durationMs, signal);
    if (signal.aborted) return undefined;
    const stopped = await inspector.ask('Profiler.stop', {}, PROFILE_ANSWER_MS);
    const profile = stopped?.['profile'];
    return isProfile(profile) ? profile : undefined;
  } finally {
    disable();
  }
}

/**
 * V8 does not see code that a loop was optimised to before it was watched: the caller gets that
 * time. Counting calls, even for a moment, throws away what is optimised. It is made again, and
 * seen, while the thread goes on; without this, a plugin that spins would name no hot function.
 */
async function forgetOptimised(inspector: ThreadInspector): Promise<void> {
  await inspector.ask('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await inspector.ask('Profiler.stopPreciseCoverage');
}

/** Or until the abort. */
async function elapsed(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}

export function isProfile(value: unknown): value is CpuProfile {
  return (
    typeof value === 'object' && value !== null && 'nodes' in value && Array.isArray(value.nodes)
  );
}
