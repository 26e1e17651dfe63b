/** What is counted and measured. DESIGN §3. */
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventually } from '../support/eventually.ts';
import { AFTER_A_CRASH } from '../support/isolation.ts';
import { createManager, run, runAssistant, specOf } from '../support/manager.ts';
import { codesOf, failureOf } from '../support/outcomes.ts';
import { NO_CALLS } from '../support/stats.ts';

describe('stats', () => {
  it('have exactly the fields of the design', async () => {
    const manager = createManager();
    await manager.register(specOf('self-aware.mjs'));
    expect(await manager.stats('self-aware')).toStrictEqual({
      state: 'unloaded',
      generation: 0,
      restarts: 0,
      crashes: 0,
      zombies: 0,
      uptimeMs: 0,
      startedAt: undefined,
      calls: NO_CALLS,
      latencyMs: { mean: 0, p50: 0, p90: 0, p99: 0, max: 0 },
      cpu: { utilization: 0 },
      memory: undefined,
      lastCrash: undefined,
      logs: [],
      metrics: [],
      plugin: {},
    });

    const before = Date.now();
    await manager.up();
    await manager.execute('self-aware', { do: 'spin-for', ms: 20 });
    const stats = await manager.stats('self-aware');
    expect(stats).toMatchObject({ state: 'running', generation: 1, plugin: { served: 1 } });
    expect(stats?.startedAt).toBeGreaterThanOrEqual(before);
    expect(stats?.startedAt).toBeLessThanOrEqual(Date.now());
    expect(stats?.uptimeMs).toBeGreaterThan(0);
    expect(stats?.uptimeMs).toBeLessThan(20_000);
    expect(stats?.memory?.heapUsedBytes).toBeGreaterThan(100_000);
    expect(stats?.memory?.externalBytes).toBeGreaterThanOrEqual(0);
  });

  it('add up over every way a call can end', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const calls = [
      plugin.execute({ do: 'echo' }),
      plugin.execute({ do: 'echo' }),
      plugin.execute({ do: 'throw' }),
      plugin.execute({ do: 'count' }, { timeoutMs: 500 }),
      plugin.execute({ do: 'echo' }, { signal: AbortSignal.timeout(10) }),
      plugin.execute({ do: 'exit', code: 1 }),
      plugin.execute({ do: 'echo' }),
    ];
    const outcomes = await codesOf(calls);
    expect(outcomes).toEqual([
      'ok',
      'ok',
      'CALL_FAILED',
      'CALL_TIMEOUT',
      'CALL_ABORTED',
      'PLUGIN_CRASHED',
      'ok',
    ]);
    await eventually(async () => {
      expect((await plugin.stats())?.calls).toEqual({
        ...NO_CALLS,
        lateReplies: 1,
        started: 7,
        succeeded: 3,
        failed: 1,
        timedOut: 1,
        aborted: 1,
        crashed: 1,
      });
    });
  });

  it('tell calls that run from calls that wait', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const calls = ['a', 'b', 'c'].map(() => plugin.execute({ do: 'hold' }));
    await board.hasBegun(1);
    const { inFlight = 0, queued = 0 } = (await plugin.stats())?.calls ?? {};
    expect(inFlight + queued).toBe(3);
    expect(inFlight).toBeGreaterThan(0);
    await board.release();
    await Promise.all(calls);
    expect(await plugin.stats()).toMatchObject({ calls: { inFlight: 0, queued: 0 } });
  });

  it('measure latency from acceptance to settlement', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    for (let i = 0; i < 20; i++) await plugin.execute({ do: 'echo' });
    await plugin.execute({ do: 'spin-for', ms: 300 });
    const latency = (await plugin.stats())?.latencyMs;
    expect(latency?.max).toBeGreaterThanOrEqual(300);
    expect(latency?.max).toBeLessThan(5_000);
    expect(latency?.p50).toBeGreaterThan(0);
    expect(latency?.p50).toBeLessThan(300);
    expect(latency?.p90).toBeGreaterThanOrEqual(latency?.p50 ?? 0);
    expect(latency?.p99).toBeGreaterThanOrEqual(latency?.p90 ?? 0);
    expect(latency?.mean).toBeGreaterThan(10);
  });

  it('show a spinning thread as busy and an idle one as idle', async () => {
    const manager = createManager();
    const [spinner, idler] = [
      await runAssistant(manager, { id: 'spinner' }),
      await runAssistant(manager, { id: 'idler' }),
    ];
    const utilization = async (id: string): Promise<number> =>
      (await manager.stats(id))?.cpu.utilization ?? Number.NaN;
    await Promise.all([utilization('spinner'), utilization('idler')]);
    await spinner.execute({ do: 'spin-for', ms: 600 });
    expect(await utilization('spinner')).toBeGreaterThan(0.7);
    expect(await utilization('idler')).toBeLessThan(0.3);
    expect(await idler.execute({ do: 'generation' })).toBe(1);
  });

  it('come in time from a plugin that is busy, without what only its thread knows', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'self-aware.mjs');
    const call = plugin.execute({ do: 'spin-for', ms: 3_000 });
    await eventually(async () => {
      expect((await plugin.health()).busySinceMs).toBeGreaterThanOrEqual(0);
    });
    const start = performance.now();
    const stats = await plugin.stats();
    expect(performance.now() - start).toBeLessThan(1_200);
    expect(stats).toMatchObject({ state: 'running', calls: { inFlight: 1 } });
    expect(stats?.memory).toBeUndefined();
    await call;
    expect(await plugin.stats()).toMatchObject({ plugin: { served: 1 } });
  });

  it('of an unknown id are undefined, and statsAll has every known one', async () => {
    const manager = createManager();
    await run(manager, 'echo.mjs');
    await manager.register(specOf('self-aware.mjs'));
    expect(await manager.stats('nobody')).toBeUndefined();
    const all = await manager.statsAll();
    expect([...all.keys()]).toEqual(['echo', 'self-aware']);
    expect(all.get('echo')).toMatchObject({ state: 'running' });
  });

  it('have the last twenty log lines, oldest first, of all lives', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const lines = Array.from({ length: 25 }, (_, number) => `line ${number}`);
    await plugin.execute({ do: 'log', lines });
    await eventually(async () => {
      expect((await plugin.stats())?.logs).toEqual(lines.slice(-20));
    });
    await failureOf(plugin.execute({ do: 'log-and-exit', message: 'the last words' }));
    const stats = await plugin.stats();
    expect(stats?.logs).toEqual([...lines.slice(-19), 'the last words']);
    expect(stats?.lastCrash?.logs).toEqual(stats?.logs);
  });

  it('keep what happened over restarts, and say what the last crash was', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    await plugin.execute({ do: 'echo' });
    await failureOf(plugin.execute({ do: 'throw-later', message: 'the crash' }));
    await plugin.execute({ do: 'echo' });
    expect(await plugin.stats()).toMatchObject({
      ...AFTER_A_CRASH,
      crashes: 1,
      calls: { started: 3, succeeded: 2, crashed: 1 },
      lastCrash: { reason: 'uncaught', exitCode: 1, at: expect.any(Number) as unknown },
    });
    expect((await plugin.stats())?.lastCrash?.message).toContain('the crash');
  });
});
