/** What a CPU profile says in short. Pure. */
import { PROFILE_TOP } from '../protocol/limits.ts';
import type { CpuProfileReport, ProfiledFunction } from '../protocol/report.ts';
import type { CpuProfile } from './cpu-profile.ts';

export function summaryOf(profile: CpuProfile): Omit<CpuProfileReport, 'file'> {
  const { samples = [], startTime, endTime } = profile;
  const totalUs = endTime - startTime;
  const selfUs = selfTimes(profile);
  const functions = new Map<string, ProfiledFunction>();
  // a function is in the tree once for each way it was called
  for (const { id, callFrame } of profile.nodes) {
    const spentUs = selfUs.get(id) ?? 0;
    if (spentUs === 0) continue;
    const { url, lineNumber, columnNumber, scriptId } = callFrame;
    const functionName = callFrame.functionName || '(anonymous)';
    const key = [functionName, scriptId, lineNumber, columnNumber].join(' ');
    const known = functions.get(key) ?? {
      functionName,
      url,
      line: lineNumber + 1,
      selfMs: 0,
      share: 0,
    };
    known.selfMs += spentUs / 1_000;
    known.share += totalUs > 0 ? spentUs / totalUs : 0;
    functions.set(key, known);
  }
  const top = [...functions.values()].toSorted((a, b) => b.selfMs - a.selfMs).slice(0, PROFILE_TOP);
  return { samples: samples.length, durationMs: totalUs / 1_000, top };
}

/** By node (µs). A sample stands for the time until the next one; a delta is the time since the last. */
function selfTimes({
  samples = [],
  timeDeltas = [],
  startTime,
  endTime,
}: CpuProfile): Map<number, number> {
  const spent = new Map<number, number>();
  let at = startTime + (timeDeltas[0] ?? 0);
  for (const [index, node] of samples.entries()) {
    const next = index + 1 < samples.length ? at + (timeDeltas[index + 1] ?? 0) : endTime;
    spent.set(node, (spent.get(node) ?? 0) + Math.max(0, next - at));
    at = next;
  }
  return spent;
}
