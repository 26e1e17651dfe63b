/** Whether a process is there, whoever started it. */
import { readFileSync } from 'node:fs';
import process from 'node:process';

/** One that has ended and that nobody has buried yet is not; only Linux can tell it apart. */
export function isAlive(pid: number): boolean {
  try {
    if (process.platform !== 'linux') return process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}
