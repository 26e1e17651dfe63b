/** Runs a program, in a process group of its own, within a time and with so much output. */
import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';

import { messageOf } from '../../coded-error.ts';
import { ToolError } from '../tool-error.ts';
import { guardGroup } from './shell-guard.ts';

export interface RunOptions {
  program: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  stdin: string | undefined;
  outputBytesMax: number;
  signal: AbortSignal;
}

export interface RunReport {
  exitCode: number | null;
  /** What ended it, where something did. */
  signal: string | null;
  stdout: string;
  stderr: string;
  /** It wrote more than it may, and was ended for that. */
  truncated: boolean;
}

/** Output of a process that has left behind others which hold its pipes (ms). */
const PIPES_TIMEOUT_MS = 500;

/** @throws ToolError `SHELL_FAILED` where it cannot be started; the signal's reason where it aborted. */
export async function run(options: RunOptions): Promise<RunReport> {
  const { program, args, cwd, env, stdin, outputBytesMax, signal } = options;
  signal.throwIfAborted();
  const child = spawn(program, args, {
    cwd,
    env,
    shell: false,
    windowsHide: true,
    // leads a group, so that what it starts ends with it
    detached: true,
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const release = child.pid === undefined ? () => undefined : guardGroup(child.pid);
  const end = (): void => endGroup(child);
  const stdout = new Capped(outputBytesMax, end);
  const stderr = new Capped(outputBytesMax, end);
  child.stdout?.on('data', (chunk: Buffer) => stdout.add(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));
  // one that ends without reading is no failure
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin);
  signal.addEventListener('abort', end, { once: true });
  try {
    const [exitCode, ended] = await closed(child);
    signal.throwIfAborted();
    return {
      exitCode,
      signal: ended,
      stdout: stdout.text,
      stderr: stderr.text,
      truncated: stdout.isOver || stderr.isOver,
    };
  } catch (error) {
    signal.throwIfAborted();
    throw new ToolError('SHELL_FAILED', `it could not be started: ${codeOf(error)}`);
  } finally {
    signal.removeEventListener('abort', end);
    release();
  }
}

/** When it has ended and all its output is here; others that hold its pipes are not waited for. */
async function closed(child: ChildProcess): Promise<[number | null, string | null]> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    child.once('error', reject);
    child.once('exit', () => {
      endGroup(child);
      timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, PIPES_TIMEOUT_MS);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve([code, signal]);
    });
  });
}

/** The group may be there when its leader is not. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // nobody of it is left
  }
}

/** The first bytes of a stream. */
class Capped {
  readonly #chunks: Buffer[] = [];
  readonly #max: number;
  readonly #full: () => void;
  #size = 0;

  constructor(max: number, full: () => void) {
    this.#max = max;
    this.#full = full;
  }

  get isOver(): boolean {
    return this.#size > this.#max;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  add(chunk: Buffer): void {
    if (this.isOver) return;
    this.#chunks.push(chunk.subarray(0, this.#max - this.#size));
    this.#size += chunk.byteLength;
    if (this.isOver) this.#full();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
}
