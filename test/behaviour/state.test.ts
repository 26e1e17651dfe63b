/** Shared state and shared memory, from the program and from plugins. DESIGN §3. */
import type { PluginHandle, PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { eventually } from '../support/eventually.ts';
import { createManager, EAGER_RESTART, run, type SpecOptions } from '../support/manager.ts';
import { failureFrom, failureOf } from '../support/outcomes.ts';
import { soon } from '../support/soon.ts';

const runUser = (
  manager: PluginManager,
  id = 'user',
  options: SpecOptions = {},
): Promise<PluginHandle<{ do: string; [key: string]: unknown }>> =>
  run(manager, 'context-user.mjs', { id, restart: EAGER_RESTART, ...options });

describe('shared state', () => {
  it('is one for the program and all plugins', async () => {
    const manager = createManager();
    const { state } = manager.context;
    const [a, b] = [await runUser(manager, 'a'), await runUser(manager, 'b')];
    const value = new Map([['list', [1, 2, { deep: new Date(7) }]]]);
    await a.execute({ do: 'set', key: 'k', value });
    expect(await b.execute({ do: 'get', key: 'k' })).toStrictEqual(value);
    expect(await state.get('k')).toStrictEqual(value);
    await state.set('k2', 'from the program');
    expect(await a.execute({ do: 'get', key: 'k2' })).toBe('from the program');
    expect(await a.execute({ do: 'keys' })).toEqual(['k', 'k2']);
    expect(await state.keys()).toEqual(['k', 'k2']);
    expect(await b.execute({ do: 'delete', key: 'k' })).toBe(true);
    expect(await b.execute({ do: 'delete', key: 'k' })).toBe(false);
    expect(await state.get('k')).toBeUndefined();
    expect(await state.delete('k2')).toBe(true);
    expect(await state.delete('k2')).toBe(false);
    expect(await state.keys()).toEqual([]);
  });

  it('hands out copies: changing what was read changes nothing', async () => {
    const manager = createManager();
    const { state } = manager.context;
    const plugin = await runUser(manager);
    const value: Record<string, unknown> = { original: true };
    await state.set('k', value);
    value['changed'] = 'after set';
    const read = await state.get<Record<string, unknown>>('k');
    if (read) read['changed'] = 'after get';
    expect(await plugin.execute({ do: 'mutate what was read', key: 'k' })).toEqual({
      original: true,
    });
    expect(await state.get('k')).toEqual({ original: true });
  });

  it('survives a crash of the plugin that wrote it', async () => {
    const manager = createManager();
    const plugin = await runUser(manager);
    await plugin.execute({ do: 'set', key: 'k', value: 'kept' });
    await failureOf(plugin.execute({ do: 'exit' }));
    expect(await plugin.execute({ do: 'get', key: 'k' })).toBe('kept');
    await plugin.unload();
    expect(await manager.context.state.get('k')).toBe('kept');
  });

  it('refuses what cannot be sent, and keeps what was there', async () => {
    const manager = createManager();
    const { state } = manager.context;
    await state.set('k', 'before');
    const error = await failureFrom(() => state.set('k', { callback: () => {} }));
    expect(error).toMatchObject({ code: 'PAYLOAD_INVALID' });
    expect(error.message).toContain('callback');
    expect(await state.get('k')).toBe('before');
  });

  it('keys may have any name', async () => {
    const manager = createManager();
    const { state } = manager.context;
    for (const key of ['__proto__', 'constructor', '', 'a b', 'é']) {
      await state.set(key, key);
      expect(await state.get(key)).toBe(key);
    }
    expect(await state.get('toString')).toBeUndefined();
  });
});

describe('update', () => {
  it('is atomic: four plugins and the program lose no increment', async () => {
    const manager = createManager();
    const plugins = await Promise.all(['a', 'b', 'c', 'd'].map((id) => runUser(manager, id)));
    const mine = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        await manager.context.state.update<number>('count', (count = 0) => count + 1);
      }
    };
    await Promise.all([
      mine(),
      ...plugins.map((plugin) => plugin.execute({ do: 'increment', key: 'count', times: 250 })),
    ]);
    expect(await manager.context.state.get('count')).toBe(1_100);
  });

  it('gives the value it wrote', async () => {
    const manager = createManager();
    const { state } = manager.context;
    expect(await state.update<string[]>('k', (list = []) => [...list, 'a'])).toEqual(['a']);
    expect(await state.update<string[]>('k', (list = []) => [...list, 'b'])).toEqual(['a', 'b']);
  });

  it('whose function throws changes nothing', async () => {
    const manager = createManager();
    const { state } = manager.context;
    await state.set('k', 1);
    const update = state.update('k', () => {
      throw new Error('no');
    });
    await expect(update).rejects.toThrow('no');
    expect(await state.get('k')).toBe(1);
  });
});

describe('watch', () => {
  it('from the program gives the value now, and the newest after changes', async () => {
    const manager = createManager();
    const { state } = manager.context;
    await state.set('k', 'first');
    const seen: unknown[] = [];
    const watching = (async () => {
      for await (const value of state.watch('k')) {
        seen.push(value);
        if (value === 'last') break;
      }
    })();
    await eventually(() => {
      expect(seen).toEqual(['first']);
    });
    await state.delete('k');
    await eventually(() => {
      expect(seen).toEqual(['first', undefined]);
    });
    for (let i = 0; i < 100; i++) await state.set('k', i);
    await state.set('k', 'last');
    await soon(watching);
    expect(seen.at(-1)).toBe('last');
  });

  it('from a plugin sees changes of others, and ends', async () => {
    const manager = createManager();
    const [watcher, writer] = [await runUser(manager, 'watcher'), await runUser(manager, 'writer')];
    await watcher.execute({ do: 'watch', key: 'k', until: 'last' });
    for (let value = 0; value < 20; value++) {
      await writer.execute({ do: 'set', key: 'k', value });
    }
    await manager.context.state.set('k', 'last');
    const seen = await eventually(async () => {
      const values = await manager.context.state.get<unknown[]>('watch ended');
      expect(values).toBeDefined();
      return values ?? [];
    });
    expect(seen[0]).toBeUndefined();
    expect(seen.at(-1)).toBe('last');
    const numbers = seen.filter((value) => typeof value === 'number');
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  it('ends when the manager is closed', async () => {
    const manager = createManager();
    const watching = (async () => {
      const seen: unknown[] = [];
      for await (const value of manager.context.state.watch('k')) seen.push(value);
      return seen;
    })();
    await manager.context.state.get('k');
    await manager.close();
    expect(await soon(watching, 3_000)).toEqual([undefined]);
  });
});

const THREAD = { isolation: 'thread' } as const;

describe('shared memory', () => {
  it('of one name is the same memory for all', async () => {
    const manager = createManager();
    const [a, b] = [await runUser(manager, 'a', THREAD), await runUser(manager, 'b', THREAD)];
    const words = new Int32Array(await manager.context.shared('counters', 64));
    for (let i = 0; i < 3; i++) {
      await a.execute({ do: 'shared', name: 'counters', word: 5 });
      await b.execute({ do: 'shared', name: 'counters', word: 5 });
    }
    expect(Atomics.load(words, 5)).toBe(6);
    expect(await manager.context.shared('counters', 64)).toBe(words.buffer);
    expect(await a.execute({ do: 'shared', name: 'others', word: 5 })).toBe(0);
  });

  it('of one name has one size', async () => {
    const manager = createManager();
    const plugin = await runUser(manager, 'user', THREAD);
    await manager.context.shared('counters', 64);
    const error = await failureOf(
      plugin.execute({ do: 'shared of another size', name: 'counters' }),
    );
    expect(error.message).toContain('counters');
  });
});
