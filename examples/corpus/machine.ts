/** What the figures were taken on, and who else was at work on it meanwhile. Reads, never changes. */
import { availableParallelism, cpus } from 'node:os';

const MICROSECONDS_IN_MS = 1000;

export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly cores: number;
  /** The share of all cores' time that other processes took during the runs that are compared. */
  readonly othersShare: number;
}

/** Call it before the runs; the result ends the watch. */
export function watchMachine(): () => Machine {
  const before = times();
  return () => {
    const after = times();
    const others = after.busyMs - before.busyMs - (after.ownMs - before.ownMs);
    const { version: node, platform } = process;
    return {
      node,
      platform,
      cores: availableParallelism(),
      othersShare: Math.max(0, others / (after.allMs - before.allMs || 1)),
    };
  };
}

function times(): { busyMs: number; allMs: number; ownMs: number } {
  const own = process.cpuUsage();
  let [busyMs, allMs] = [0, 0];
  for (const { times } of cpus()) {
    const { user, nice, sys, irq, idle } = times;
    busyMs += user + nice + sys + irq;
    allMs += user + nice + sys + irq + idle;
  }
  return { busyMs, allMs, ownMs: (own.user + own.system) / MICROSECONDS_IN_MS };
}
