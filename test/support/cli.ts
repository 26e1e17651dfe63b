/** Runs the built `troupe` command, as npm would. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import { eventually } from './eventually.ts';
import { soon } from './soon.ts';

const COMMAND = fileURLToPath(new URL('../../dist/src/cli/troupe.js', import.meta.url));
const PATIENCE_MS = 18_000;

export interface CliEnd {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface Cli {
  readonly ended: Promise<CliEnd>;
  /** Settles when standard error says it. */
  says: (text: string) => Promise<unknown>;
  interrupt: () => void;
}

export async function cli(folder: string, ...args: string[]): Promise<CliEnd> {
  return startCli(folder, ...args).ended;
}

/** It is killed when the test is over. */
export function startCli(folder: string, ...args: string[]): Cli {
  const { NO_COLOR: _, FORCE_COLOR: _force, ...env } = process.env;
  const options = { cwd: path.resolve(folder), env } as const;
  const child = spawn(process.execPath, [COMMAND, ...args], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => (text[stream] += chunk));
  }
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const ended = soon(closed, PATIENCE_MS).then(
    (exitCode) => ({ exitCode, ...text }),
    (error: unknown) => {
      throw new Error(`troupe ${args.join(' ')} did not end: ${text.stderr}`, { cause: error });
    },
  );
  ended.catch(() => undefined);
  return {
    ended,
    says: (what) => eventually(() => text.stderr.includes(what)),
    interrupt: () => child.kill('SIGINT'),
  };
}
