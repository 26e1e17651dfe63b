import { describe, expect, it } from 'vitest';

import type { CpuProfile } from '../../src/supervisor/cpu-profile.ts';
import { summaryOf } from '../../src/supervisor/profile-summary.ts';

function node(id: number, functionName: string, lineNumber = 9): CpuProfile['nodes'][number] {
  const callFrame = {
    functionName,
    scriptId: '1',
    url: 'file:///p.mjs',
    lineNumber,
    columnNumber: 0,
  };
  return { id, callFrame };
}

const EMPTY: CpuProfile = {
  nodes: [],
  startTime: 5_000,
  endTime: 5_000,
  samples: [],
  timeDeltas: [],
};

describe('the summary of a profile', () => {
  it('gives a function the time from its samples to those that follow, by whatever way it was called', () => {
    const report = summaryOf({
      nodes: [node(1, 'outer'), node(2, 'hot', 19), node(3, 'hot', 19), node(4, '', 29)],
      startTime: 1_000_000,
      endTime: 1_010_000,
      samples: [1, 2, 3, 4],
      timeDeltas: [1_000, 1_000, 3_000, 2_000],
    });
    expect(report).toEqual({
      samples: 4,
      durationMs: 10,
      top: [
        { functionName: 'hot', url: 'file:///p.mjs', line: 20, selfMs: 5, share: 0.5 },
        { functionName: '(anonymous)', url: 'file:///p.mjs', line: 30, selfMs: 3, share: 0.3 },
        { functionName: 'outer', url: 'file:///p.mjs', line: 10, selfMs: 1, share: 0.1 },
      ],
    });
  });

  it('has ten functions at most, those with the most time', () => {
    const ids = Array.from({ length: 30 }, (_, index) => index + 1);
    const { top } = summaryOf({
      nodes: ids.map((id) => node(id, `f${id}`)),
      startTime: 0,
      endTime: 465,
      samples: ids,
      timeDeltas: [0, ...ids.slice(0, -1)],
    });
    expect(top.map(({ functionName }) => functionName)).toEqual(
      ids
        .slice(-10)
        .toReversed()
        .map((id) => `f${id}`),
    );
  });

  it('of nothing is nothing', () => {
    expect(summaryOf(EMPTY)).toEqual({ samples: 0, durationMs: 0, top: [] });
    expect(summaryOf({ nodes: [], startTime: 0, endTime: 1_000 })).toEqual({
      samples: 0,
      durationMs: 1,
      top: [],
    });
  });
});
