/** Child processes would outlive ours: what is still there when it exits is ended with it. */
import type { ChildProcess } from 'node:child_process';
import process from 'node:process';

const children = new Set<ChildProcess>();

/** @returns what is to be called once it has ended. */
export function killAtExit(child: ChildProcess): () => void {
  if (children.size === 0) process.on('exit', killAll);
  children.add(child);
  return () => {
    children.delete(child);
    if (children.size === 0) process.off('exit', killAll);
  };
}

function killAll(): void {
  for (const child of children) child.kill('SIGKILL');
}
