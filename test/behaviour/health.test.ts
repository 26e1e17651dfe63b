/** How a plugin is, in bounded time, and never blocked by a busy one. DESIGN §3, §7. */
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { createManager, EAGER_RESTART, run, runAssistant, specOf } from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';

const runSelfAware = (
  manager: ReturnType<typeof createManager>,
): ReturnType<typeof run<{ do: string; [key: string]: unknown }>> =>
  run(manager, 'self-aware.mjs', { restart: EAGER_RESTART });

describe('a plugin', () => {
  it('that is idle is healthy, live and ready', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'echo.mjs');
    expect(await plugin.health()).toEqual({
      healthy: true,
      live: true,
      ready: true,
      state: 'running',
    });
  });

  it('in a long computation is healthy, and that is known within a second', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const call = plugin.execute({ do: 'spin-for', ms: 2_500 });
    await eventually(async () => {
      const start = performance.now();
      const report = await plugin.health();
      expect(performance.now() - start).toBeLessThan(1_500);
      expect(report).toMatchObject({ healthy: true, live: true, ready: true, state: 'running' });
      expect(report.busySinceMs).toBeGreaterThan(200);
    });
    await call;
    expect(await plugin.health()).toMatchObject({ healthy: true });
    expect((await plugin.health()).busySinceMs).toBeUndefined();
  });

  it('in an asynchronous call is healthy and busy', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const call = plugin.execute({ do: 'hold' });
    await eventually(async () => {
      expect((await plugin.health()).busySinceMs).toBeGreaterThan(0);
    });
    expect(await plugin.health()).toMatchObject({ healthy: true, live: true, ready: true });
    await manager.context.state.set('go', true);
    await call;
  });

  it.each([
    ['false', false, { detail: false }],
    [
      '{ healthy: false }',
      { healthy: false, note: 'no credit' },
      { detail: { note: 'no credit' } },
    ],
    ['an error', 'throw', { reason: expect.stringContaining('fell over') as unknown }],
  ])('whose hook says %s is live but not ready', async (_, health, more) => {
    const manager = createManager();
    const plugin = await runSelfAware(manager);
    expect(await plugin.health()).toMatchObject({
      healthy: true,
      detail: { healthy: true, note: 'fine' },
    });
    await plugin.execute({ do: 'say', health });
    const report = await plugin.health();
    expect(report).toMatchObject({ healthy: false, live: true, ready: false, ...more });
  });

  it('whose hook never answers is told of in time', async () => {
    const manager = createManager();
    const plugin = await run<object>(manager, 'self-aware.mjs', {
      limits: { healthTimeoutMs: 200 },
    });
    await plugin.execute({ do: 'say', health: 'hang' });
    const start = performance.now();
    expect(await plugin.health()).toMatchObject({ healthy: false, ready: false });
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('that is silent though it is idle is not live', async () => {
    const manager = createManager();
    const plugin = await run<object>(manager, 'self-aware.mjs', {
      limits: { healthTimeoutMs: 200, stopTimeoutMs: 200 },
    });
    await plugin.execute({ do: 'stall for ever' });
    await eventually(async () => {
      expect(await plugin.health()).toMatchObject({ healthy: false, live: false, ready: false });
    });
    expect((await plugin.health()).reason).toBeTruthy();
  });

  it.each(['unloaded', 'loaded', 'initialized', 'paused', 'failed'] as const)(
    'that is %s is not ready, and the report says what it is',
    async (state) => {
      const manager = createManager();
      const plugin = await manager.register(
        specOf('failing-hook.mjs', { config: { hook: 'start', how: 'throw', times: 1 } }),
      );
      const path = ['load', 'init', 'start', 'restart', 'pause'] as const;
      const steps = { unloaded: 0, loaded: 1, initialized: 2, failed: 3, paused: 5 }[state];
      for (const verb of path.slice(0, steps)) {
        if (verb === 'start') await failureOf(plugin.start());
        else await plugin[verb]();
      }
      const report = await plugin.health();
      expect(report).toMatchObject({ ready: false, state });
      const gone = {
        healthy: false,
        live: false,
        reason: expect.stringContaining(state) as unknown,
      };
      const known = state === 'unloaded' || state === 'failed' ? gone : { live: true };
      expect(report).toMatchObject(known);
    },
  );

  it('that is unknown has no health but NOT_FOUND', async () => {
    const manager = createManager();
    expect(await failureOf(manager.health('nobody'))).toMatchObject({ code: 'NOT_FOUND' });
  });
});

it('healthCheckAll asks all at once and is not held up by one', async () => {
  const manager = createManager();
  const sick = await runSelfAware(manager);
  await run(manager, 'echo.mjs');
  const busy = await runAssistant(manager);
  await manager.register(specOf('hooks.mjs', { id: 'unloaded' }));
  await sick.execute({ do: 'say', health: false });
  const call = busy.execute({ do: 'spin-for', ms: 2_500 });
  await eventually(async () => {
    expect((await busy.health()).busySinceMs).toBeGreaterThan(0);
  });
  const start = performance.now();
  expect(await manager.healthCheckAll()).toEqual(
    new Map([
      ['self-aware', false],
      ['echo', true],
      ['assistant', true],
      ['unloaded', false],
    ]),
  );
  expect(performance.now() - start).toBeLessThan(1_500);
  await call;
});
