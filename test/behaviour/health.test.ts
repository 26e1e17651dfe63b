/** How a plugin is, in bounded time, and never blocked by a busy one. DESIGN §3, §7. */
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventually } from '../support/eventually.ts';
import {
  createManager,
  EAGER_RESTART,
  run,
  runAssistant,
  specOf,
  type SpecOptions,
} from '../support/manager.ts';
import { failureOf } from '../support/outcomes.ts';
import { soon } from '../support/soon.ts';

/** Who answers late is not taken for one that does not. */
const limits = { healthTimeoutMs: 20_000 };
/** Sooner than the limit above: nobody waited for an answer that cannot come (ms). */
const UNASKED_MS = 15_000;

const runSelfAware = (
  manager: ReturnType<typeof createManager>,
  options: SpecOptions = {},
): ReturnType<typeof run<{ do: string; [key: string]: unknown }>> =>
  run(manager, 'self-aware.mjs', { restart: EAGER_RESTART, limits, ...options });

describe('a plugin', () => {
  it('that is idle is healthy, live and ready', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'echo.mjs', { limits });
    expect(await plugin.health()).toEqual({
      healthy: true,
      live: true,
      ready: true,
      state: 'running',
    });
  });

  it('in a long computation is healthy, and that is known without its answer', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits });
    const board = await boardOf(manager);
    const call = plugin.execute({ do: 'spin-until-told' });
    await board.hasBegun(1);
    await eventually(async () => {
      const report = await soon(plugin.health(), UNASKED_MS);
      expect(report).toMatchObject({ healthy: true, live: true, ready: true, state: 'running' });
      expect(report.busySinceMs).toBeGreaterThan(200);
    });
    board.tell();
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
    expect(await soon(plugin.health())).toMatchObject({ healthy: false, ready: false });
  });

  it('that is silent though it is idle is not live', async () => {
    const manager = createManager();
    const plugin = await run<object>(manager, 'self-aware.mjs', {
      limits: { healthTimeoutMs: 200, stopTimeoutMs: 200, unresponsiveMs: 0 },
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
        specOf('failing-hook.mjs', { config: { hook: 'start', how: 'throw', times: 1 }, limits }),
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
  const busy = await runAssistant(manager, { limits });
  await manager.register(specOf('hooks.mjs', { id: 'unloaded' }));
  await sick.execute({ do: 'say', health: false });
  // each of them answers once the other has been asked, too
  for (const id of ['left', 'right']) {
    const one = await runSelfAware(manager, { id });
    await one.execute({ do: 'say', health: 'meet' });
  }
  const board = await boardOf(manager);
  const call = busy.execute({ do: 'spin-until-told' });
  await board.hasBegun(1);
  expect(await soon(manager.healthCheckAll(), UNASKED_MS)).toEqual(
    new Map([
      ['self-aware', false],
      ['assistant', true],
      ['unloaded', false],
      ['left', true],
      ['right', true],
    ]),
  );
  board.tell();
  await call;
});
