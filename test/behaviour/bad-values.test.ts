/** Values that cannot be sent are the sender's error, and nobody else's. DESIGN §6; FAILURES 20, 22, 33. */
import { describe, expect, it } from 'vitest';

import { createManager, run, runAssistant } from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { codesOf, failureFrom, failureOf } from '../support/outcomes.ts';

const MIB = 1024 * 1024;

describe('an input that cannot be sent', () => {
  it.each<[string, unknown, RegExp]>([
    ['a function', { list: [{ callback: () => {} }] }, /list.*0.*callback/],
    ['a symbol', { deep: { mark: Symbol('x') } }, /deep.*mark/],
    ['a promise', { later: Promise.resolve() }, /later/],
    ['a WeakMap', { weak: new WeakMap() }, /weak/],
  ])('%s is PAYLOAD_INVALID and named by its path', async (_, value, message) => {
    const manager = createManager();
    const plugin = await run(manager, 'echo.mjs');
    const error = await failureOf(plugin.execute(value));
    expect(error).toMatchObject({ code: 'PAYLOAD_INVALID', pluginId: 'echo' });
    expect(error.message).toMatch(message);
    expect(await plugin.execute('next')).toBe('next');
  });

  it('of 200 MB is PAYLOAD_TOO_LARGE', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await run(manager, 'echo.mjs');
    const errors = await Promise.all([
      failureOf(plugin.execute(new Uint8Array(200 * MIB))),
      failureOf(plugin.execute({ text: 'x'.repeat(200 * MIB) })),
    ]);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', pluginId: 'echo' });
    }
    expect(await plugin.execute('next')).toBe('next');
    await neighbour.isUnharmed();
  });

  it('nested deeper than the limit is refused, and just as deep is not', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'echo.mjs', { limits: { payloadDepthMax: 20 } });
    const nested = (depth: number): unknown => (depth === 0 ? 'end' : [nested(depth - 1)]);
    expect(await plugin.execute(nested(19))).toEqual(nested(19));
    const error = await failureOf(plugin.execute(nested(50)));
    expect(['PAYLOAD_INVALID', 'PAYLOAD_TOO_LARGE']).toContain(error.code);
    expect(await plugin.execute('next')).toBe('next');
  });

  it('whose getter throws is this call’s error alone', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'echo.mjs');
    const value = {
      get trap(): never {
        throw new Error('do not look');
      },
    };
    await expect(failureFrom(() => plugin.execute(value))).resolves.toMatchObject({
      code: 'PAYLOAD_INVALID',
    });
    expect(await plugin.execute('next')).toBe('next');
  });

  it('for a stream is refused alike', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'echo.mjs');
    const error = await failureFrom(async () => {
      for await (const _ of plugin.stream({ callback: () => {} }));
    });
    expect(error).toMatchObject({ code: 'PAYLOAD_INVALID', pluginId: 'echo' });
  });
});

describe('a result that cannot be sent', () => {
  it('is PAYLOAD_INVALID, named by its path, for that call alone', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await runAssistant(manager);
    const calls = [
      plugin.execute({ do: 'echo', value: 1 }),
      plugin.execute({ do: 'return-function' }),
      plugin.execute({ do: 'echo', value: 2 }),
    ];
    expect(await codesOf(calls)).toEqual(['ok', 'PAYLOAD_INVALID', 'ok']);
    const error = await failureOf(plugin.execute({ do: 'return-function' }));
    expect(error).toMatchObject({ code: 'PAYLOAD_INVALID', pluginId: 'assistant' });
    expect(error.message).toMatch(/deep.*inside.*0/);
    expect(await plugin.stats()).toMatchObject({ generation: 1, restarts: 0 });
    await neighbour.isUnharmed();
  });

  it('because it is too large is PAYLOAD_TOO_LARGE', async () => {
    const manager = createManager();
    const plugin = await runAssistant(manager, { limits: { payloadBytesMax: 100_000 } });
    const error = await failureOf(plugin.execute({ do: 'bytes', length: 200_000 }));
    expect(error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', pluginId: 'assistant' });
    expect(await plugin.execute({ do: 'bytes', length: 50_000 })).toHaveLength(50_000);
  });
});

describe('keys that pollute elsewhere', () => {
  it('neither pollute nor are renamed', async () => {
    const manager = createManager();
    const plugin = await run<unknown, Record<string, unknown>>(manager, 'echo.mjs');
    const value: unknown = JSON.parse(
      '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
    );
    const back = await plugin.execute(value);
    expect(Object.getOwnPropertyNames(back).toSorted()).toEqual(['__proto__', 'constructor']);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(back['polluted']).toBeUndefined();
    expect(JSON.stringify(back)).toBe(JSON.stringify(value));
  });
});
