/** What this process holds of the system: what should be no more after plugins than before. */
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

export interface Holdings {
  /** Open files, pipes and sockets; 0 where the system does not say. */
  descriptors: number;
  /** Of the system, Node's own included; 0 where the system does not say. */
  threads: number;
  /** Child processes, also those that ended and were not waited for. */
  children: number;
  /** On `process`: signals, exits, uncaught errors. */
  listeners: number;
  /** What keeps the event loop going, by kind: `Timeout`, `MessagePort`, `ProcessWrap`, … */
  resources: Record<string, number>;
  /** The runtime's files in the folder for temporary ones. */
  files: number;
}

export function holdings(): Holdings {
  const tasks = listed('/proc/self/task');
  return {
    // reading the folder opens it
    descriptors: Math.max(0, listed('/proc/self/fd').length - 1),
    threads: tasks.length,
    children: tasks.flatMap((task) => words(`/proc/self/task/${task}/children`)).length,
    listeners: process
      .eventNames()
      .reduce((sum, name) => sum + process.listenerCount(name as string), 0),
    resources: resources(),
    files: listed(os.tmpdir()).filter((name) => name.startsWith(`troupe-${String(process.pid)}-`))
      .length,
  };
}

/** What there is more of than before, in words. */
export function growthSince(before: Holdings, now = holdings()): string[] {
  const flat = ({ resources, ...counts }: Holdings): Record<string, number> => ({
    ...counts,
    ...resources,
  });
  const [was, is] = [flat(before), flat(now)];
  return Object.entries(is)
    .filter(([what, count]) => count > (was[what] ?? 0))
    .map(([what, count]) => `${what}: ${String(was[what] ?? 0)} → ${String(count)}`);
}

function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function words(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\s+/).filter(Boolean);
  } catch {
    return [];
  }
}
