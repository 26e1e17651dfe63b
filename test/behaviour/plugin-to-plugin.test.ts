/** Plugins call each other through the kernel's router. DESIGN §6. */
import type { PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { boardOf } from '../support/assistant.ts';
import { eventually } from '../support/eventually.ts';
import { createManager, EAGER_RESTART, run, runAssistant } from '../support/manager.ts';
import { codesOf, failureOf, later } from '../support/outcomes.ts';

const runRelay = (manager: PluginManager, id: string, concurrency = 1): ReturnType<typeof run> =>
  run(manager, 'relay.mjs', { id, concurrency, restart: EAGER_RESTART });

describe('ctx.call', () => {
  it('gives the other plugin’s answer, over as many hops as there are', async () => {
    const manager = createManager();
    for (const id of ['a', 'b', 'c', 'd']) await runRelay(manager, id);
    expect(await manager.execute('a', { do: 'chain', chain: ['b', 'c', 'd'] })).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
  });

  it('carries values as faithfully as execute does', async () => {
    const manager = createManager();
    await runRelay(manager, 'a');
    await runRelay(manager, 'b');
    await run(manager, 'echo.mjs');
    const value = {
      map: new Map<unknown, unknown>([
        ['when', new Date(0)],
        [1n, new Set([/x/g])],
      ]),
      bytes: new Uint16Array([1, 2, 3]),
      // travels beside the bytes
      large: new Uint8Array(100_000).fill(7),
      nothing: undefined,
    };
    const cyclic: { self?: unknown; value: unknown } = { value };
    cyclic.self = cyclic;
    const command = { do: 'call', to: 'b', input: { do: 'call', to: 'echo', input: cyclic } };
    const back = await manager.execute<typeof cyclic>('a', command);
    expect(back.value).toStrictEqual(value);
    expect(back.self).toBe(back);
  });

  it('to many at once keeps every answer apart', async () => {
    const manager = createManager();
    await runRelay(manager, 'a', 8);
    await run(manager, 'echo.mjs');
    const calls = Array.from({ length: 500 }, (_, i) =>
      manager.execute('a', { do: 'call', to: 'echo', input: i }),
    );
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it('has its own timeout', async () => {
    const manager = createManager();
    await runRelay(manager, 'a');
    await runAssistant(manager);
    const command = { to: 'assistant', input: { do: 'count' }, options: { timeoutMs: 1_000 } };
    const error = await failureOf(manager.execute('a', { do: 'call', ...command }));
    expect(error).toMatchObject({
      code: 'CALL_FAILED',
      pluginId: 'a',
      cause: { code: 'CALL_TIMEOUT', pluginId: 'assistant', data: { phase: 'running' } },
    });
  });
});

describe('an error of the called plugin', () => {
  it.each([
    ['an unknown one', 'nobody', {}, 'NOT_FOUND'],
    ['one that is not running', 'stopped', {}, 'NOT_RUNNING'],
    ['one that crashes', 'assistant', { do: 'exit', code: 1 }, 'PLUGIN_CRASHED'],
    ['one that throws', 'assistant', { do: 'throw', code: 'E_OWN' }, 'CALL_FAILED'],
    ['one whose answer cannot be sent', 'assistant', { do: 'return-function' }, 'PAYLOAD_INVALID'],
  ])('arrives with its code: %s', async (_, to, input, code) => {
    const manager = createManager();
    await runRelay(manager, 'a');
    await runAssistant(manager);
    const stopped = await run(manager, 'echo.mjs', { id: 'stopped' });
    await stopped.stop();
    const seen = await manager.execute('a', { do: 'call and catch', to, input });
    expect(seen).toMatchObject({ name: 'PluginError', code, pluginId: to });
  });

  it('keeps code and cause across two hops', async () => {
    const manager = createManager();
    await runRelay(manager, 'a');
    await runRelay(manager, 'b');
    await runAssistant(manager);
    const input = { do: 'throw', message: 'deep down', code: 'E_DEEP' };
    const error = await failureOf(
      manager.execute('a', { do: 'call', to: 'b', input: { do: 'call', to: 'assistant', input } }),
    );
    const chain: unknown[] = [];
    for (let at: unknown = error; at instanceof Error; at = at.cause) {
      const { code, pluginId } = at as { code?: unknown; pluginId?: unknown };
      chain.push([at.name, code, pluginId]);
    }
    expect(chain).toEqual([
      ['PluginError', 'CALL_FAILED', 'a'],
      ['PluginError', 'CALL_FAILED', 'b'],
      ['PluginError', 'CALL_FAILED', 'assistant'],
      ['RangeError', 'E_DEEP', undefined],
    ]);
  });

  it('of a value that cannot be sent is the caller’s own', async () => {
    const manager = createManager();
    await run(manager, 'sender.mjs');
    const target = await run(manager, 'echo.mjs');
    const seen = await manager.execute('sender', 'echo');
    expect(seen).toMatchObject({ code: 'PAYLOAD_INVALID' });
    expect(await target.stats()).toMatchObject({ calls: { started: 0 } });
  });
});

describe('a call that comes back', () => {
  it.each([
    [['a'], 'a → a'],
    [['b', 'a'], 'a → b → a'],
    [['b', 'c', 'b'], 'b → c → b'],
  ])('(a then %s) is CALL_CYCLE with the chain, at once', async (chain, named) => {
    const manager = createManager();
    for (const id of ['a', 'b', 'c']) await runRelay(manager, id);
    const error = await failureOf(manager.execute('a', { do: 'chain', chain }));
    let deepest: unknown = error;
    while (deepest instanceof Error && deepest.cause !== undefined) deepest = deepest.cause;
    expect(deepest).toMatchObject({ code: 'CALL_CYCLE' });
    expect((deepest as Error).message).toContain(named);
    expect(await manager.execute('a', { do: 'chain', chain: ['b'] })).toEqual(['a', 'b']);
  });

  it('is served where the concurrency leaves room for it', async () => {
    const manager = createManager();
    await runRelay(manager, 'a', 2);
    await runRelay(manager, 'b');
    const back = await manager.execute('a', { do: 'chain', chain: ['b', 'a'] });
    expect(back).toEqual(['a', 'b', 'a']);
    expect(await manager.execute('a', { do: 'chain', chain: ['a'] })).toEqual(['a', 'a']);
  });

  it('is told apart from another call that merely waits in line', async () => {
    const manager = createManager();
    for (const id of ['a', 'b']) await runRelay(manager, id);
    const calls = Array.from({ length: 50 }, () => [
      manager.execute('a', { do: 'chain', chain: ['b'] }),
      manager.execute('b', { do: 'chain', chain: [] }),
    ]).flat();
    expect(new Set(await codesOf(calls))).toEqual(new Set(['ok']));
  });
});

describe('a caller that is gone', () => {
  it('by a crash has its call aborted', async () => {
    const manager = createManager();
    const relay = await runRelay(manager, 'a');
    const target = await runAssistant(manager);
    const board = await boardOf(manager);
    const input = { do: 'until-aborted' };
    const call = later(relay.execute({ do: 'call and exit', to: 'assistant', input }));
    await board.hasBegun(1);
    await manager.context.state.set('exit now', true);
    expect(await failureOf(call)).toMatchObject({ code: 'PLUGIN_CRASHED', pluginId: 'a' });
    await eventually(async () => {
      expect(await target.stats()).toMatchObject({ calls: { aborted: 1, inFlight: 0 } });
    });
    expect(await target.execute({ do: 'generation' })).toBe(1);
  });

  it('by its signal has its call aborted', async () => {
    const manager = createManager();
    const relay = await runRelay(manager, 'a');
    const target = await runAssistant(manager);
    const board = await boardOf(manager);
    const controller = new AbortController();
    const command = { do: 'call with signal', to: 'assistant', input: { do: 'until-aborted' } };
    const call = later(relay.execute(command, { signal: controller.signal }));
    await board.hasBegun(1);
    controller.abort();
    expect(await failureOf(call)).toMatchObject({ code: 'CALL_ABORTED', pluginId: 'a' });
    await eventually(async () => {
      expect(await target.stats()).toMatchObject({ calls: { aborted: 1, inFlight: 0 } });
    });
    expect(await relay.execute({ do: 'chain', chain: [] })).toEqual(['a']);
  });
});
