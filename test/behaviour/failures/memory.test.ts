/** A plugin that takes too much memory. FAILURES 6 to 9; more shapes in ../memory.test.ts. */
import { describe, expect, it } from 'vitest';

import { FailureScene, ISOLATIONS, type Isolation } from '../../support/failure-scene.ts';
import { runProgram } from '../../support/program.ts';

const MEMORY_MB = 64;
const limits = { memoryMb: MEMORY_MB };
/** As V8 says it, or as the watch does: who is first depends on the machine. */
const TOO_MUCH = ['oom', 'memory-limit'];

describe.each(ISOLATIONS)('in a %s', (isolation) => {
  it.each([
    ['row 6: many objects', ['objects']],
    ['row 8: buffers and WebAssembly memory', ['buffers', 'wasm']],
  ])('%s end the plugin alone', async (_, shapes) => {
    await endsAlone(isolation, shapes);
  });
});

describe('row 7: one array', () => {
  it('that grows, or is beyond all room at once, ends a process plugin alone', async () => {
    await endsAlone('process', ['array', 'once']);
  });

  it('that grows in a thread is contained, and the program lives', async () => {
    const { exitCode, stdout } = await failingProgram('thread', 'array');
    const told = JSON.parse(stdout.replace('up\n', '')) as Told;
    expect({ exitCode, error: told.error }).toEqual({
      exitCode: 0,
      error: { code: 'PLUGIN_CRASHED', reason: 'memory-limit' },
    });
    expect(told).toMatchObject({
      generation: 2,
      stats: { restarts: 1, calls: { crashed: 1, succeeded: 1, inFlight: 0, queued: 0 } },
      neighbour: { failed: 0 },
      report: { clean: true },
    });
  });

  it('beyond all room in a thread ends the whole process: a thread does not promise it', async () => {
    const { exitCode, stdout, stderr } = await failingProgram('thread', 'once');
    expect(stdout).toBe('up\n');
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('heap');
  });
});

async function endsAlone(isolation: Isolation, shapes: readonly string[]): Promise<void> {
  const scene = await FailureScene.open(isolation, { limits });
  const crashes = await scene.dies(shapes.map((shape) => ({ do: 'hoard', shape })));
  for (const { reason } of crashes) expect(TOO_MUCH).toContain(reason);
}

interface Told {
  error: { code: string; reason: string };
}

function failingProgram(isolation: string, shape: string): ReturnType<typeof runProgram> {
  return runProgram('failing-program.mjs', isolation, JSON.stringify({ do: 'hoard', shape }));
}

describe('row 9: a process with --max-old-space-size', () => {
  it('is warned once, when the first plugin with a memory limit is loaded', async () => {
    const { stdout } = await runProgram('heap-flag-program.mjs');
    const { before, after } = JSON.parse(stdout) as { before: string[]; after: string[] };
    expect(before).toEqual([]);
    expect(after).toEqual([expect.stringContaining('--max-old-space-size=2000')]);
  });
});
