/**
 * Ends a program's process group when this thread ends in the middle of its run: nothing that runs
 * in the thread could. A `sh` waits for the end of its input, which comes with the end of the
 * thread, whatever ended it.
 */
import { spawn } from 'node:child_process';
import process from 'node:process';

/** Gets the group as `$0`. An end of input without a line is the end of the thread. */
const SCRIPT = 'read -r _ || kill -KILL "-$0"';

/** @returns what to call when the run is over. Where there is no `sh`, there is no guard. */
export function guardGroup(group: number): () => void {
  if (process.platform === 'win32') return () => undefined;
  const guard = spawn('/bin/sh', ['-c', SCRIPT, String(group)], {
    env: {},
    // what is meant for the program's group, or the terminal's, is not meant for it
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  return () => {
    guard.stdin.end('\n');
  };
}
