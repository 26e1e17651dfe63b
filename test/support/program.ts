/** Runs a program of `test/fixtures` in a process of its own, and tells how it ended. */
import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import { eventually } from './eventually.ts';
import { fixture } from './manager.ts';
import { soon } from './soon.ts';

export interface ProgramEnd {
  pid: number;
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Program {
  readonly pid: number;
  /** What it says first. */
  readonly firstLine: Promise<string>;
  readonly ended: Promise<ProgramEnd>;
}

/** A program that does not end by itself fails the test, and is killed. */
export async function runProgram(name: string, ...args: string[]): Promise<ProgramEnd> {
  return startProgram(name, ...args).ended;
}

/** The same, where the program may read and write files, but start neither thread nor process. */
export async function runRestricted(name: string, ...args: string[]): Promise<ProgramEnd> {
  const flags = process.allowedNodeEnvironmentFlags.has('--permission')
    ? ['--permission']
    : ['--experimental-permission', '--disable-warning=ExperimentalWarning'];
  return startNode([...flags, '--allow-fs-read=*', '--allow-fs-write=*'], name, args).ended;
}

/** It is killed when the test is over. */
export function startProgram(name: string, ...args: string[]): Program {
  return startNode([], name, args);
}

function startNode(flags: string[], name: string, args: string[]): Program {
  const child = spawn(process.execPath, [...flags, fileURLToPath(fixture(name)), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid = 0 } = child;
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => (text[stream] += chunk));
  }
  const closed = new Promise<Pick<ProgramEnd, 'exitCode' | 'signal'>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
  });
  const ended = soon(closed, 15_000).then(
    (end) => ({ pid, ...end, ...text }),
    (error: unknown) => {
      throw new Error(`${name} did not end: ${text.stdout}${text.stderr}`, { cause: error });
    },
  );
  ended.catch(() => undefined);
  const firstLine = eventually(() => {
    const [line, ...more] = text.stdout.split('\n');
    if (line === undefined || more.length === 0) throw new Error(`${name} says nothing`);
    return line;
  });
  firstLine.catch(() => undefined);
  return { pid, firstLine, ended };
}
