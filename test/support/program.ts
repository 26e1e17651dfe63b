/** Runs a program of `test/fixtures` in a process of its own, and tells how it ended. */
import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import { fixture } from './manager.ts';
import { soon } from './soon.ts';

export interface ProgramEnd {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** A program that does not end by itself fails the test, and is killed. */
export function runProgram(name: string, ...args: string[]): Promise<ProgramEnd> {
  return runNode([], name, args);
}

/** The same, where the program may read and write files, but start neither thread nor process. */
export function runRestricted(name: string, ...args: string[]): Promise<ProgramEnd> {
  const flags = process.allowedNodeEnvironmentFlags.has('--permission')
    ? ['--permission']
    : ['--experimental-permission', '--disable-warning=ExperimentalWarning'];
  return runNode([...flags, '--allow-fs-read=*', '--allow-fs-write=*'], name, args);
}

async function runNode(flags: string[], name: string, args: string[]): Promise<ProgramEnd> {
  const child = spawn(process.execPath, [...flags, fileURLToPath(fixture(name)), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => (text[stream] += chunk));
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  try {
    return { exitCode: await soon(ended, 15_000), ...text };
  } catch (error) {
    throw new Error(`${name} did not end: ${text.stdout}${text.stderr}`, { cause: error });
  }
}
