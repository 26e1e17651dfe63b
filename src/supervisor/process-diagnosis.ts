/** How a process is diagnosed: it looks at itself, at its next turn, and says what it saw. */
import { PROFILE_ANSWER_MS, SNAPSHOT_MS, SNAPSHOT_MS_PER_MIB } from '../protocol/limits.ts';
import type { ActorControl, Outcome } from '../protocol/messages.ts';
import { fromWireError } from '../protocol/wire-error.ts';
import { isProfile } from './cpu-profile.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { LifeDiagnosis } from './life.ts';

const MIB = 1024 * 1024;

export function processDiagnosis(control: ActorControl): LifeDiagnosis {
  let writing = 0;
  return {
    async cpuProfile({ durationMs, samplingIntervalUs }) {
      const asked = control.cpuProfile({ durationMs, samplingIntervalUs });
      const text = await answerOf(asked, durationMs + PROFILE_ANSWER_MS);
      const profile: unknown = text === undefined ? undefined : JSON.parse(text);
      return isProfile(profile) ? profile : undefined;
    },
    async heapSnapshot(file) {
      const stats = await within(control.stats(), PROFILE_ANSWER_MS);
      if (stats === TIMED_OUT) return false;
      writing++;
      try {
        const timeoutMs = SNAPSHOT_MS + (stats.heapUsedBytes / MIB) * SNAPSHOT_MS_PER_MIB;
        return (await answerOf(control.heapSnapshot(file), timeoutMs)) === true;
      } finally {
        writing--;
      }
    },
    get standsStill() {
      return writing > 0;
    },
  };
}

/** `undefined`: it did not answer in time. Rejects with what went wrong there. */
async function answerOf<T>(asked: Promise<Outcome<T>>, timeoutMs: number): Promise<T | undefined> {
  const outcome = await within(asked, timeoutMs);
  if (outcome === TIMED_OUT) return undefined;
  if (!outcome.ok) throw fromWireError(outcome.error);
  return outcome.value;
}
