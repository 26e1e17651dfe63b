/** Time in a script: deadlines, aborts, pauses, operations, and calls side by side. */
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { createManager, run } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';
import { runScript } from '../support/script.ts';

describe('a call of a script', () => {
  it('has a deadline though nobody set one', async () => {
    const manager = createManager();
    const script = await runScript(
      manager,
      'export default (_, call) => call.deadline - Date.now();',
    );
    expect(await script.execute(undefined)).toBeGreaterThan(25_000);
  });

  it('that goes round in a loop stands still while it is paused, and goes on', async () => {
    const manager = createManager();
    const script = await runScript(
      manager,
      `let turns = 0;
      let pausedAt;
      export default {
        execute() { for (; turns < 3e6; turns++); return { turns, pausedAt }; },
        pause() { for (let i = 0; i < 30_000; i++); pausedAt = turns; },
      };`,
    );
    const call = script.execute(0, { timeoutMs: 0 });
    await script.pause();
    expect(manager.state('script')).toBe('paused');
    await script.resume();
    expect(await call).toEqual({
      turns: 3_000_000,
      pausedAt: expect.toSatisfy((at: number) => at >= 0 && at < 3_000_000) as unknown,
    });
  });

  it('that is aborted hears of it, and may clean up', async () => {
    const manager = createManager();
    await run(manager, 'echo.mjs', { id: 'echo' });
    await manager.register({
      id: 'never',
      type: 'tool',
      entry: 'data:text/javascript,export default () => new Promise(() => {})',
      limits: { graceMs: 60_000 },
    });
    await manager.load('never');
    await manager.init('never');
    await manager.start('never');
    const script = await runScript(
      manager,
      `const heard = [];
      export default async (what, call) => {
        if (what === 'heard') return heard;
        call.signal.addEventListener('abort', () => heard.push('signal ' + call.signal.aborted));
        try { await ctx.call('never'); }
        catch (error) { heard.push(error.name); throw error; }
        finally { heard.push(await ctx.call('echo', 'cleaned')); }
      };`,
    );
    const controller = new AbortController();
    const call = failureOf(script.execute('wait', { signal: controller.signal }));
    await eventually(async () => {
      expect((await manager.stats('never'))?.calls.inFlight).toBe(1);
    });
    controller.abort();
    expect((await call).code).toBe('CALL_ABORTED');
    await eventually(async () => {
      expect(await script.execute('heard')).toEqual(['signal true', 'AbortError', 'cleaned']);
    });
    expect((await script.stats())?.generation).toBe(1);
  });

  it('that is a stream may wait while it cleans up, and is ended without its life', async () => {
    const manager = createManager();
    await run(manager, 'assistant.mjs', { id: 'never' });
    const script = await runScript(
      manager,
      `async function* endless() {
        try { for (;;) yield 1; } finally { await ctx.call('never', { do: 'never' }); }
      }
      export default (what) => what === 'stream' ? endless() : what;`,
      { limits: { graceMs: 2_000 } },
    );
    for await (const chunk of script.stream('stream')) {
      expect(chunk).toBe(1);
      break;
    }
    expect(await script.execute('after it')).toBe('after it');
    expect((await script.stats())?.generation).toBe(1);
  });

  it.each(['at once', 'later'])('that is answered %s is known no more', async (when) => {
    const script = await runScript(
      createManager(),
      `let last;
      const answer = (call) => { const before = last; last = call; return before?.id; };
      export default (when, call) =>
        when === 'later' ? ctx.state.keys().then(() => answer(call)) : answer(call);`,
    );
    await script.execute(when);
    // of a call that goes on it would be its id
    expect(await script.execute(when)).toBe('');
  });

  it('may do so many operations and no more, and what went on after them does not', async () => {
    const script = await runScript(
      createManager(),
      `let turns = 0;
      export default { async execute(most) { if (most === undefined) return turns; try { for (turns = 0; turns < most; turns++); } catch { turns = -1; } finally { turns = Math.max(turns, 0); } return 'done'; } };`,
      { script: { operationsMax: 100_000 } },
    );
    expect(await script.execute(1_000)).toBe('done');
    const error = await failureOf(script.execute(1e9));
    expect(error).toMatchObject({
      code: 'CALL_FAILED',
      cause: { name: 'RangeError', code: 'OPERATIONS_EXCEEDED' },
    });
    expect((error.cause as Error).stack).toMatch(/script\.js:2:/);
    const turns = await script.execute(undefined);
    expect(turns).toBeGreaterThan(1_000);
    expect(turns).toBeLessThan(200_000);
  });

  it('waits beside others where concurrency allows it', async () => {
    const manager = createManager();
    const script = await runScript(
      manager,
      `let inside = 0, most = 0;
      export default async (n) => {
        most = Math.max(most, ++inside);
        const answers = await Promise.all([ctx.call('echo', n), ctx.call('echo', n + 1)]);
        inside--;
        return [answers, most];
      };`,
      { concurrency: 4 },
    );
    await run(manager, 'echo.mjs', { id: 'echo' });
    const outcomes = await Promise.all([0, 1, 2, 3].map((n) => script.execute(n)));
    expect(outcomes.map((outcome) => (outcome as unknown[])[0])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    expect((outcomes as [unknown, number][]).at(-1)?.[1]).toBeGreaterThan(1);
  });

  it('that comes back to its own plugin is refused as a cycle', async () => {
    const script = await runScript(createManager(), "export default () => ctx.call('script');");
    expect(await failureOf(script.execute(undefined))).toMatchObject({
      cause: { code: 'CALL_CYCLE' },
    });
  });
});

describe('stopped calls leave nothing behind', () => {
  it.each([
    ['what it waits for', "void ctx.state.get('key').then(() => kept);"],
    ['what is run in a lock', "void ctx.lock('name', () => kept);"],
    ['what updates state', "void ctx.state.update('key', () => kept.length);"],
  ])('in the VM: %s', async (_, wait) => {
    const script = await runScript(
      createManager(),
      `export default async (what) => {
        if (what === 'fill') return new Array(150_000).fill({ x: 1 }).length;
        const kept = new Array(10_000).fill(0).map((_, i) => ({ i }));
        ${wait}
        for (;;);
      };`,
      { script: { memoryMb: 4, operationsMax: 30_000 } },
    );
    for (let i = 0; i < 20; i++) {
      expect(await failureOf(script.execute('loop'))).toMatchObject({
        cause: { code: 'OPERATIONS_EXCEEDED' },
      });
    }
    expect(await script.execute('fill')).toBe(150_000);
  });

  it('open: the streams they read, of which a script may have 1,024', async () => {
    const manager = createManager();
    const script = await runScript(
      manager,
      `export default async (what) => {
        const first = (key) => ctx.state.watch(key).next();
        const open = (count) => Promise.all(Array.from({ length: count }, (_, i) => first(String(i))));
        if (what === 'count') return (await open(1_024)).length;
        if (what === 'one more') return first('key');
        await open(600);
        for (;;);
      };`,
      { script: { operationsMax: 200_000 } },
    );
    for (let i = 0; i < 3; i++) {
      expect(await failureOf(script.execute('many'))).toMatchObject({
        cause: { code: 'OPERATIONS_EXCEEDED' },
      });
    }
    // those of a call that was not stopped are the script's
    expect(await script.execute('count')).toBe(1_024);
    expect(await failureOf(script.execute('one more'))).toMatchObject({
      cause: { name: 'RangeError', message: 'more than 1024 streams are open at once' },
    });
  });
});

describe('a hook that does not end', () => {
  it('fails with its position before its deadline', async () => {
    const manager = createManager();
    const started = runScript(manager, 'export default { execute() {},\n init() { for (;;); } };', {
      limits: { hookTimeoutMs: 1_000 },
    });
    const error = await failureOf(started);
    expect(error).toMatchObject({ code: 'INIT_FAILED', cause: { code: 'TURN_TIMEOUT' } });
    expect((error.cause as Error).stack).toContain('script.js:2:');
  });

  it('costs no life where it says how the plugin is', async () => {
    const script = await runScript(
      createManager(),
      'export default { execute: () => 1, health() { for (;;); }, stats() { for (;;); } };',
    );
    expect(await script.health()).toMatchObject({ healthy: false, live: true });
    expect((await script.stats())?.plugin).toMatchObject({ error: expect.any(String) as unknown });
    expect(await script.execute(undefined)).toBe(1);
    expect((await script.stats())?.generation).toBe(1);
  });
});
