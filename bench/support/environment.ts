/** Where and on what a result was measured. */
import { execFileSync } from 'node:child_process';
import os from 'node:os';

export interface Environment {
  node: string;
  platform: string;
  cpu: string;
  cores: number;
  memoryGb: number;
  commit: string;
  at: string;
}

export function environment(): Environment {
  const [cpu] = os.cpus();
  return {
    node: process.version,
    platform: `${os.platform()} ${os.arch()}`,
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    commit: commit(),
    at: new Date().toISOString(),
  };
}

/** What the bench itself writes is no change to what it measures. */
const RESULTS_LEFT_OUT = [':!bench/results', ':!docs'];

function commit(): string {
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', '.', ...RESULTS_LEFT_OUT) ? ' + changes' : ''}`;
  } catch {
    return 'unknown';
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}
