/** The end of the whole process: of a plugin that brings it about, and of a program. FAILURES 10, 11, 27 to 29. */
import { readdirSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

import { describe, expect, it } from 'vitest';

import { eventually } from '../../support/eventually.ts';
import { FailureScene, ISOLATIONS, unharmed } from '../../support/failure-scene.ts';
import { runProgram, startProgram } from '../../support/program.ts';

const SIGNALS = ['SIGKILL', 'SIGABRT', 'SIGSEGV'];

describe('in a process', () => {
  it('row 10, row 11: a native abort, and signals from inside, end the plugin alone', async () => {
    const scene = await FailureScene.open('process');
    const kills = SIGNALS.map((signal) => ({ do: 'kill', signal }));
    const crashes = await scene.dies([{ do: 'abort' }, ...kills]);
    expect(crashes).toMatchObject(
      ['SIGABRT', ...SIGNALS].map((signal) => ({
        reason: 'killed',
        message: expect.stringContaining(signal) as string,
      })),
    );
  });

  it('row 27: SIGTERM and SIGINT to the plugin are not its end: its supervisor decides', async () => {
    const scene = await FailureScene.open('process');
    for (const signal of ['SIGTERM', 'SIGINT']) {
      scene.ask(signal, { do: 'kill', signal, answers: true });
    }
    await scene.letGo();
    expect(await scene.outcomes()).toMatchObject({
      SIGTERM: 'sent',
      SIGINT: 'sent',
      begun: 'held',
    });
    await scene.survived({ lives: 1 });
  });
});

describe('in a thread', () => {
  it.each(SIGNALS)('row 11: %s from inside ends the whole process', async (signal) => {
    const deed = JSON.stringify({ do: 'kill', signal });
    const program = await runProgram('failing-program.mjs', 'thread', deed);
    expect(program).toMatchObject({ exitCode: null, signal, stdout: 'up\n' });
  });

  it('row 10: process.abort() is refused by Node', async () => {
    const scene = await FailureScene.open('thread');
    const settled = scene.settles({ do: 'abort' });
    await scene.letGo();
    expect(await settled).toEqual(unharmed('CALL_FAILED'));
    await scene.survived({ lives: 1 });
  });
});

describe.each(ISOLATIONS)('in a %s', (isolation) => {
  it('row 10: an add-on that cannot be loaded is an error of its call', async () => {
    const scene = await FailureScene.open(isolation);
    const settled = scene.settles({ do: 'load an add-on', file: process.execPath });
    await scene.letGo();
    expect(await settled).toEqual(unharmed('CALL_FAILED'));
    await scene.survived({ lives: 1 });
  });

  it.each([
    ['exits', 'exit', 0],
    ['falls over', 'throw', 1],
    ['closes', 'close', 0],
  ])(
    'row 28, row 29: a program that %s while its plugin loops ends by itself, and leaves nothing',
    async (_, way, exitCode) => {
      const program = await runProgram('ending-program.mjs', isolation, way);
      expect(program).toMatchObject({ exitCode, signal: null });
      const [pid] = program.stdout.split('\n');
      await isGone(Number(pid));
      expect(filesOf(program.pid)).toEqual([]);
    },
  );

  it('row 29: nothing holds a program that closed, after everything was used', async () => {
    const { exitCode, stdout } = await runProgram('whole-program.mjs', 'close', isolation);
    const { report, handles } = JSON.parse(stdout) as { report: unknown; handles: string[] };
    expect({ exitCode, report, handles }).toEqual({
      exitCode: 0,
      report: { clean: true, problems: [] },
      handles: [],
    });
  });
});

describe('a process plugin', () => {
  it('row 28: ends by itself when its program is killed', async () => {
    const program = startProgram('ending-program.mjs', 'process', 'stay');
    const pid = Number(await program.firstLine);
    expect(pid).not.toBe(program.pid);
    process.kill(program.pid, 'SIGKILL');
    await isGone(pid);
    expect(filesOf(program.pid)).toEqual([]);
  });
});

function isGone(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(0);
  return eventually(() => {
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
}

/** The runtime's own files of that process. */
function filesOf(pid: number): string[] {
  return readdirSync(os.tmpdir()).filter((name) => name.startsWith(`troupe-${String(pid)}-`));
}
