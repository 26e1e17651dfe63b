/** Timeouts and aborts, before a call, in the queue and inside the plugin. DESIGN §6; FAILURES 12. */
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventsOf, nextEvent, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { AFTER_A_CRASH, ISOLATION } from '../support/isolation.ts';
import { createManager, run, runAssistant } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { causeOf, codesOf, failureOf } from '../support/outcomes.ts';

describe('a timeout', () => {
  it.each(['7', -1, Number.NaN, null, {}])('that is no time (%j) is refused', async (timeoutMs) => {
    const manager = createManager();
    const relay = await run(manager, 'relay.mjs');
    const wrong = { timeoutMs: timeoutMs as number };
    const said = /^timeoutMs must be a number of milliseconds, not /;
    await expect(relay.execute({ do: 'count' }, wrong)).rejects.toThrow(said);
    const call = { do: 'call', to: 'relay', input: {}, options: wrong };
    const error = await failureOf(relay.execute(call));
    expect(causeOf(error)).toMatchObject({ message: expect.stringMatching(said) as string });
  });

  it('in the queue says so, and the call is never begun', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const first = plugin.execute({ do: 'hold' });
    await board.hasBegun(1);
    const error = await failureOf(
      plugin.execute({ do: 'begun', name: 'expired' }, { timeoutMs: 100 }),
    );
    expect(error).toMatchObject({
      code: 'CALL_TIMEOUT',
      pluginId: 'assistant',
      data: { phase: 'queued', timeoutMs: 100 },
    });
    await board.release();
    await first;
    await plugin.execute({ do: 'begun', name: 'later' });
    expect(await manager.context.state.get('begun')).toEqual(['later']);
    expect(await plugin.stats()).toMatchObject({
      generation: 1,
      calls: { timedOut: 1, succeeded: 2, queued: 0, inFlight: 0 },
    });
  });

  it('in the mailbox of a paused plugin says so', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'echo.mjs');
    await plugin.pause();
    const error = await failureOf(plugin.execute('?', { timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', data: { phase: 'queued' } });
    await plugin.resume();
    expect(await plugin.execute('next')).toBe('next');
  });

  it('of a running call throws at its checkpoint and costs nobody else', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const counting = failureOf(plugin.execute({ do: 'count' }, { timeoutMs: 1_000 }));
    const waiting = plugin.execute({ do: 'generation' });
    expect(await counting).toMatchObject({
      code: 'CALL_TIMEOUT',
      pluginId: 'assistant',
      data: { phase: 'running', timeoutMs: 1_000 },
    });
    expect(await waiting).toBe(1);
  });

  it('of the plugin is the default', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits: { callTimeoutMs: 100 } });
    const error = await failureOf(plugin.execute({ do: 'count' }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', data: { timeoutMs: 100 } });
  });

  it('does not come early, and expires the calls in their order', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'echo.mjs');
    await plugin.pause();
    const start = performance.now();
    const expired: number[] = [];
    const calls = [300, 100, 200].map(async (timeoutMs) => {
      await failureOf(plugin.execute('?', { timeoutMs }));
      expect(performance.now() - start).toBeGreaterThanOrEqual(timeoutMs - 5);
      expired.push(timeoutMs);
    });
    await Promise.all(calls);
    expect(expired).toEqual([100, 200, 300]);
  });
});

describe('an abort', () => {
  it('before the call is made, makes none', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const reason = new Error('changed my mind');
    const error = await failureOf(
      plugin.execute({ do: 'begun', name: 'never' }, { signal: AbortSignal.abort(reason) }),
    );
    expect(error).toMatchObject({ code: 'CALL_ABORTED', pluginId: 'assistant', cause: reason });
    await plugin.execute({ do: 'echo' });
    expect(await manager.context.state.get('begun')).toBeUndefined();
  });

  it('in the queue takes the call out', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const first = plugin.execute({ do: 'hold' });
    await board.hasBegun(1);
    const controller = new AbortController();
    const queued = plugin.execute({ do: 'begun', name: 'x' }, { signal: controller.signal });
    const behind = plugin.execute({ do: 'echo', value: 'behind' });
    controller.abort();
    expect(await failureOf(queued)).toMatchObject({
      code: 'CALL_ABORTED',
      data: { phase: 'queued' },
    });
    await board.release();
    expect(await Promise.all([first, behind])).toEqual(['released', 'behind']);
    expect(await manager.context.state.get('begun')).toBeUndefined();
  });

  it('of a running call reaches call.signal', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const controller = new AbortController();
    const call = plugin.execute({ do: 'until-aborted' }, { signal: controller.signal });
    await board.hasBegun(1);
    controller.abort();
    expect(await failureOf(call)).toMatchObject({
      code: 'CALL_ABORTED',
      data: { phase: 'running' },
    });
    expect(await plugin.execute({ do: 'generation' })).toBe(1);
    expect(await manager.context.state.get('aborted')).toBe('AbortError');
  });

  it('of a running call makes its checkpoint throw an AbortError', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager);
    const board = await boardOf(manager);
    const controller = new AbortController();
    const call = plugin.execute({ do: 'count' }, { signal: controller.signal });
    await board.isTurning();
    controller.abort();
    expect(await failureOf(call)).toMatchObject({ code: 'CALL_ABORTED' });
    expect(await plugin.execute({ do: 'generation' })).toBe(1);
    expect(await manager.context.state.get('aborted')).toBe('AbortError');
  });

  it('after the answer changes nothing', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'echo.mjs');
    const controller = new AbortController();
    expect(await plugin.execute(1, { signal: controller.signal })).toBe(1);
    controller.abort();
    expect(await plugin.execute(2)).toBe(2);
    expect(await plugin.stats()).toMatchObject({ calls: { aborted: 0, succeeded: 2 } });
  });

  it('of one among interleaved calls leaves the others alone', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { concurrency: 3 });
    const board = await boardOf(manager);
    const controller = new AbortController();
    const calls = [
      plugin.execute({ do: 'hold' }),
      plugin.execute({ do: 'until-aborted' }, { signal: controller.signal }),
      plugin.execute({ do: 'hold' }),
    ];
    await board.hasBegun(3);
    controller.abort();
    expect(await failureOf(Promise.resolve(calls[1]))).toMatchObject({ code: 'CALL_ABORTED' });
    await board.release();
    expect(await codesOf(calls)).toEqual(['ok', 'CALL_ABORTED', 'ok']);
    expect(await plugin.execute({ do: 'generation' })).toBe(1);
  });
});

describe('a call that ignores its abort', () => {
  it.each(['spin', 'never'])(
    '(%s) costs its thread after the grace, and fails alone',
    async (how) => {
      const manager = createManager();
      const neighbour = await startNeighbour(manager);
      const events = recordEvents(manager);
      const plugin = await runAssistant(manager);
      const board = await boardOf(manager);
      const deaf = plugin.execute({ do: how }, { timeoutMs: 1_000 });
      const waiting = ['a', 'b', 'c'].map((value) => plugin.execute({ do: 'echo', value }));
      const crashed = nextEvent(manager, 'crashed');
      expect(await failureOf(deaf)).toMatchObject({
        code: 'CALL_TIMEOUT',
        data: { phase: 'running' },
      });
      expect(await Promise.all(waiting)).toEqual(['a', 'b', 'c']);
      await crashed;
      expect(await plugin.execute({ do: 'generation' })).toBe(AFTER_A_CRASH.generation);
      expect(eventsOf(events, 'crashed').map(({ crash }) => crash.reason)).toEqual(['hang']);
      const turns = board.turns();
      await neighbour.isUnharmed();
      expect(board.turns()).toBe(turns);
      expect(await plugin.stats()).toMatchObject({
        ...AFTER_A_CRASH,
        calls: { timedOut: 1, crashed: 0, succeeded: 4 },
        lastCrash: { reason: 'hang' },
      });
    },
  );

  it('has its grace first: one that ends within it keeps the thread', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits: { graceMs: 5_000 } });
    const slow = plugin.execute({ do: 'spin-for', ms: 400 }, { timeoutMs: 100 });
    expect(await failureOf(slow)).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(await plugin.execute({ do: 'generation' })).toBe(1);
  });

  it('takes the other begun calls along where the concurrency is above 1', async ({ skip }) => {
    skip(ISOLATION === 'pool', 'they are in other threads: see pool.test.ts');
    const manager = createManager();
    const plugin = await runAssistant(manager, { concurrency: 2 });
    const board = await boardOf(manager);
    const bystander = plugin.execute({ do: 'hold' });
    await board.hasBegun(1);
    const deaf = plugin.execute({ do: 'never' }, { timeoutMs: 1_000 });
    expect(await codesOf([deaf, bystander])).toEqual(['CALL_TIMEOUT', 'PLUGIN_CRASHED']);
    await eventually(async () => {
      expect(await plugin.execute({ do: 'generation' })).toBe(2);
    });
  });
});
