/** A program that closes its manager when it is asked to end. FAILURES 27. */
import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { describe, expect, it, onTestFinished } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { fixture } from '../support/manager.ts';
import { soon } from '../support/soon.ts';

interface Program {
  child: ChildProcess;
  text: { stdout: string; stderr: string };
  ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
  /** Settles once it has said that. */
  says(what: string): Promise<void>;
}

function start(way: string): Program {
  const child = spawn(process.execPath, [fileURLToPath(fixture('signal-program.mjs')), way], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.stderr += chunk));
  const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>(
    (resolve) => {
      child.once('close', (exitCode, signal) => {
        resolve({ exitCode, signal });
      });
    },
  );
  const says = async (what: string): Promise<void> => {
    await eventually(() => text.stdout.includes(what));
  };
  return { child, text, ended, says };
}

describe('a program with closeOnSignals', () => {
  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('closes at %s and exits with %i', async (signal, exitCode) => {
    const program = start('fine');
    await program.says('up');
    program.child.kill(signal);
    expect(await soon(program.ended)).toEqual({ exitCode, signal: null });
    expect(program.text.stderr).toBe(`[signalled] closed on ${signal}\n`);
  });

  it('says which plugin did not end in good order', async () => {
    const program = start('late');
    await program.says('up');
    program.child.kill('SIGTERM');
    expect(await soon(program.ended)).toEqual({ exitCode: 143, signal: null });
    expect(program.text.stderr).toMatch(/not in good order:\n {2}idler: .*did not stop within/);
  });

  it('exits at once at a second signal', async () => {
    const program = start('stuck');
    await program.says('up');
    program.child.kill('SIGTERM');
    await program.says('told');
    program.child.kill('SIGINT');
    expect(await soon(program.ended)).toEqual({ exitCode: 130, signal: null });
  });

  it('ends as any other once the handlers are taken away', async () => {
    const program = start('removed');
    await program.says('up');
    program.child.kill('SIGTERM');
    expect(await soon(program.ended)).toEqual({ exitCode: null, signal: 'SIGTERM' });
  });
});
