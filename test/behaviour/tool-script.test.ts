import type { ToolResult } from 'troupe/plugins';
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { toolScene, type ToolScene } from '../support/tool-plugin.ts';

const OPTIONS = { runMs: 300, memoryMb: 8, resultBytesMax: 1_000 };

async function scene(
  options: object = {},
): Promise<ToolScene & { run: (code: string, input?: unknown) => Promise<unknown> }> {
  const both = await toolScene({
    tools: ['calculator', { name: 'script', options: { ...OPTIONS, ...options } }],
  });
  const run = async (code: string, input?: unknown): Promise<unknown> =>
    valueOf(await both.tools.call('script', { code, input }));
  return { ...both, run };
}

/** What it gave, or the code of its error. */
function valueOf(outcome: ToolResult): unknown {
  return outcome.ok ? outcome.result : outcome.error.code;
}

describe('script', () => {
  it('gives the value of the last expression, and what was logged', async () => {
    const { run } = await scene();
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
    const { tools } = await scene();
    const code = 'console.log("so far"); throw new TypeError("bad")';
    expect(await tools.call('script', { code })).toEqual({
      ok: false,
      error: { code: 'SCRIPT_FAILED', message: 'TypeError: bad\nconsole:\nso far' },
    });
  });

  it('begins each run in a VM of its own', async () => {
    const { run } = await scene();
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
    // native loops of the engine, which nothing inside the VM interrupts
    ['new Array(2**32-1).join("").length', 'SCRIPT_TIMEOUT'],
    ['new Array(2**32-1).sort()', 'SCRIPT_TIMEOUT'],
    ['"a".repeat(2e6).indexOf("a".repeat(1e6) + "b")', 'SCRIPT_TIMEOUT'],
    ['"x".repeat(2_000)', 'SCRIPT_RESULT'],
    ['10n', 'SCRIPT_FAILED'],
  ])('has nothing but its bounds: %s', async (code, outcome) => {
    const { run, tools } = await scene();
    expect(await run(code)).toBe(outcome);
    // and the next one is well, in the same life of the plugin
    expect(await run('1 + 1')).toMatchObject({ value: 2 });
    expect((await tools.stats())?.generation).toBe(1);
  });

  it('keeps no other tool waiting while it runs, and ends with its caller', async () => {
    const { run, tools } = await scene({ runMs: 25_000 });
    const controller = new AbortController();
    const code = 'new Array(2**32-1).join("")';
    const endless = tools.call('script', { code }, { signal: controller.signal });
    endless.catch(() => undefined);
    const next = run('2 + 2');
    expect(valueOf(await tools.call('calculator', { expression: '1 + 1' }))).toMatchObject({
      value: 2,
    });
    controller.abort();
    await expect(endless).rejects.toMatchObject({ code: 'CALL_ABORTED' });
    expect(await next).toMatchObject({ value: 4 });
    await eventually(async () =>
      expect((await tools.stats())?.plugin).toMatchObject({
        tools: { script: { calls: 2, errors: { TOOL_ABORTED: 1 }, abandoned: 0 } },
      }),
    );
    expect((await tools.stats())?.generation).toBe(1);
  });

  it('is ended by the time of its tool', async () => {
    const { tools } = await toolScene({
      tools: [{ name: 'script', timeoutMs: 300, options: { runMs: 20_000 } }],
    });
    expect(valueOf(await tools.call('script', { code: 'while (true);' }))).toBe('TOOL_TIMEOUT');
    expect(valueOf(await tools.call('script', { code: '1' }))).toMatchObject({ value: 1 });
  });

  it('says at init that a restricted plugin has to be given threads for it', async () => {
    const restricted = { tools: 'script', permissions: { fs: {} } };
    await expect(toolScene(restricted)).rejects.toMatchObject({
      errors: [
        {
          code: 'INIT_FAILED',
          cause: {
            code: 'TOOL_INVALID',
            message: expect.stringMatching(
              /restricted plugin needs permissions\.worker$/,
            ) as unknown,
          },
        },
      ],
    });
    const { tools } = await toolScene({ tools: 'script', permissions: { fs: {}, worker: true } });
    expect(valueOf(await tools.call('script', { code: '1' }))).toMatchObject({ value: 1 });
  });

  it.each(['process', 'pool'] as const)('runs in a %s as well', async (isolation) => {
    const { tools } = await toolScene({
      isolation,
      tools: [{ name: 'script', options: OPTIONS }],
    });
    const code = 'new Array(2**32-1).join("").length';
    expect(valueOf(await tools.call('script', { code }))).toBe('SCRIPT_TIMEOUT');
    expect(valueOf(await tools.call('script', { code: '1' }))).toMatchObject({ value: 1 });
  });
});
