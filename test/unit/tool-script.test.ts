import { describe, expect, it } from 'vitest';

import { script } from '../../plugins/tool/builtin/script.ts';
import { outcomeOf, runTool } from '../support/tool-run.ts';

const tool = await script({ runMs: 300, memoryMb: 8, resultBytesMax: 1_000 });
const run = (code: string, input?: unknown): Promise<unknown> => outcomeOf(tool, { code, input });

describe('script', () => {
  it('gives the value of the last expression, and what was logged', async () => {
    expect(
      await run('console.log("got", input); input.a.map((n) => n * 2)', { a: [1, 2] }),
    ).toEqual({
      value: [2, 4],
      lines: ['got {"a":[1,2]}'],
    });
    expect(await run('const later = await Promise.resolve(20); later + 1')).toEqual({
      value: 21,
      lines: [],
    });
    expect(await run('let unused;')).toEqual({ value: undefined, lines: [] });
  });

  it('tells what the script threw, with what it logged before', async () => {
    await expect(
      runTool(tool, { code: 'console.log("so far"); throw new TypeError("bad")' }),
    ).rejects.toThrow('TypeError: bad\nconsole:\nso far');
  });

  it('begins each run in a VM of its own', async () => {
    await run('globalThis.left = 1; Array.prototype.map = null;');
    expect(await run('[typeof left, typeof [].map]')).toMatchObject({
      value: ['undefined', 'function'],
    });
  });

  it.each([
    ['process', 'SCRIPT_FAILED'],
    ['require("fs")', 'SCRIPT_FAILED'],
    ['await import("fs")', 'SCRIPT_FAILED'],
    ['await import("node:fs")', 'SCRIPT_FAILED'],
    ['fetch("http://127.0.0.1")', 'SCRIPT_FAILED'],
    ['setTimeout(() => 1, 1)', 'SCRIPT_FAILED'],
    ['this.constructor.constructor("return process")()', 'SCRIPT_FAILED'],
    ['console.log.constructor("return process")()', 'SCRIPT_FAILED'],
    ['(', 'SCRIPT_FAILED'],
    ['await new Promise(() => {})', 'SCRIPT_PENDING'],
    ['while (true);', 'SCRIPT_TIMEOUT'],
    ['for (;;) await 0', 'SCRIPT_TIMEOUT'],
    ['try { while (true); } finally { while (true); }', 'SCRIPT_TIMEOUT'],
    ['/(a+)+$/.test("a".repeat(40) + "b")', 'SCRIPT_TIMEOUT'],
    ['({ toJSON() { while (true); } })', 'SCRIPT_TIMEOUT'],
    ['(function f() { f(); })()', 'SCRIPT_FAILED'],
    ['const a = []; while (true) a.push(new Array(1000).fill(1))', 'SCRIPT_FAILED'],
    ['"x".repeat(2_000)', 'SCRIPT_RESULT'],
    ['10n', 'SCRIPT_FAILED'],
  ])('has nothing but its bounds: %s', async (code, outcome) => {
    expect(await run(code)).toBe(outcome);
    // and the next one is well
    expect(await run('1 + 1')).toMatchObject({ value: 2 });
  });

  it('is ended by the deadline of its call', async () => {
    const reason = Object.assign(new Error('over'), { code: 'TOOL_TIMEOUT' });
    const call = { signal: AbortSignal.abort(reason) };
    expect(await outcomeOf(tool, { code: 'while (true);' }, call)).toBe('TOOL_TIMEOUT');
  });
});
