/** Events, locks, and what a plugin knows of itself. DESIGN §3, §4. */
import type { BusEvent, PluginHandle, PluginManager } from 'troupe';
import { describe, expect, it } from 'vitest';

import { eventsOf, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { ISOLATION } from '../support/isolation.ts';
import { createManager, EAGER_RESTART, run } from '../support/manager.ts';
import { failureOf, later } from '../support/outcomes.ts';

const runUser = (
  manager: PluginManager,
  id = 'user',
): Promise<PluginHandle<{ do: string; [key: string]: unknown }>> =>
  run(manager, 'context-user.mjs', { id, restart: EAGER_RESTART });

describe('events', () => {
  it('go both ways, with topic, data, sender and time', async () => {
    const manager = createManager('the-agent');
    const [a, b] = [await runUser(manager, 'a'), await runUser(manager, 'b')];
    const heard: BusEvent[] = [];
    manager.context.events.on('news', (event) => heard.push(event));
    await b.execute({ do: 'on', topic: 'news' });
    const before = Date.now();
    await a.execute({ do: 'emit', topic: 'news', data: new Map([[1, 'one']]) });
    await manager.context.events.emit('news', { from: 'the program' });
    await manager.context.events.emit('other', 'not heard');

    expect(heard).toEqual([
      { topic: 'news', data: new Map([[1, 'one']]), from: 'a', at: expect.any(Number) as unknown },
      {
        topic: 'news',
        data: { from: 'the program' },
        from: 'the-agent',
        at: expect.any(Number) as unknown,
      },
    ]);
    expect(heard[0]?.at).toBeGreaterThanOrEqual(before);
    await eventually(async () => {
      expect(await b.execute({ do: 'heard' })).toEqual(heard);
    });
    expect(await a.execute({ do: 'heard' })).toEqual([]);
  });

  it.each(['setup', 'load', 'init', 'start'])(
    'are heard from the first on by who subscribes in %s',
    async (where) => {
      const manager = createManager();
      const plugin = await run<undefined, number[]>(manager, 'listener.mjs', { config: { where } });
      await manager.context.events.emit('news', 1);
      await eventually(async () => {
        expect(await plugin.execute(undefined)).toEqual([1]);
      });
    },
  );

  it('that are too large for who listens are lost to it, and it hears the next', async () => {
    const manager = createManager();
    const logs = recordEvents(manager);
    const limits = { payloadBytesMax: 2_000 };
    const options = { config: { where: 'start' }, limits };
    const plugin = await run<undefined, number[]>(manager, 'listener.mjs', options);
    for (let i = 0; i < 100; i++) await manager.context.events.emit('news', 'x'.repeat(5_000));
    await manager.context.events.emit('news', 'small');
    await eventually(async () => {
      expect(await plugin.execute(undefined)).toEqual([5]);
    });
    expect(await plugin.stats()).toMatchObject({ generation: 1, restarts: 0 });
    const [warning] = eventsOf(logs, 'log');
    expect(warning).toMatchObject({ level: 'warn' });
    expect(warning?.message).toContain('an event of the topic news is lost');
  });

  it('of every topic are heard with *', async () => {
    const manager = createManager();
    const plugin = await runUser(manager);
    const heard: string[] = [];
    manager.context.events.on('*', ({ topic }) => heard.push(topic));
    await plugin.execute({ do: 'on', topic: '*' });
    for (const topic of ['x', 'y', 'z']) await manager.context.events.emit(topic);
    expect(heard).toEqual(['x', 'y', 'z']);
    await eventually(async () => {
      const events = (await plugin.execute({ do: 'heard' })) as BusEvent[];
      expect(events.map(({ topic }) => topic)).toEqual(['x', 'y', 'z']);
    });
  });

  it('are heard no more after unsubscribing', async () => {
    const manager = createManager();
    const plugin = await runUser(manager);
    const heard: unknown[] = [];
    const stop = manager.context.events.on('news', ({ data }) => heard.push(data));
    await plugin.execute({ do: 'on', topic: 'news' });
    await manager.context.events.emit('news', 1);
    stop();
    stop();
    await plugin.execute({ do: 'off', topic: 'news' });
    await plugin.execute({ do: 'heard' });
    await manager.context.events.emit('news', 2);
    expect(heard).toEqual([1]);
    const events = (await plugin.execute({ do: 'heard' })) as BusEvent[];
    expect(events.map(({ data }) => data)).toEqual([1]);
  });

  it('are copies for each listener', async () => {
    const manager = createManager();
    const heard: unknown[] = [];
    manager.context.events.on<{ n: number }>('news', ({ data }) => {
      data.n++;
      heard.push(data);
    });
    const data = { n: 1 };
    await manager.context.events.emit('news', data);
    expect(data).toEqual({ n: 1 });
  });

  it('reach the others when a listener throws, and the emitter is not harmed', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const heard: unknown[] = [];
    manager.context.events.on('news', () => {
      throw new Error('a listener fell over');
    });
    manager.context.events.on('news', ({ data }) => heard.push(data));
    await manager.context.events.emit('news', 1);
    expect(heard).toEqual([1]);
    expect(eventsOf(events, 'warning').map(({ message }) => message)).toEqual([
      expect.stringContaining('a listener fell over'),
    ]);
  });

  it('that a plugin’s listener throws at crash that plugin alone', async () => {
    const manager = createManager();
    const [bad, good] = [await runUser(manager, 'bad'), await runUser(manager, 'good')];
    await bad.execute({ do: 'on and throw', topic: 'news' });
    await good.execute({ do: 'on', topic: 'news' });
    await manager.context.events.emit('news', 1);
    await eventually(async () => {
      expect(await good.execute({ do: 'heard' })).toHaveLength(1);
      expect(await bad.stats()).toMatchObject({ lastCrash: { reason: 'uncaught' } });
    });
    expect(await good.stats()).toMatchObject({ restarts: 0 });
  });
});

describe('a lock', () => {
  it('is held by one at a time, plugins and program alike', async () => {
    const manager = createManager();
    const plugins = await Promise.all(['a', 'b', 'c'].map((id) => runUser(manager, id)));
    const { state, lock } = manager.context;
    const command = { do: 'lock', name: 'door', entry: 'inside' };
    const mine = async (): Promise<number> =>
      lock('door', async () => {
        const inside = await state.update<number>('inside', (count = 0) => count + 1);
        await state.update<number>('most inside', (most = 0) => Math.max(most, inside));
        await state.update<number>('inside', (count = 0) => count - 1);
        return inside;
      });
    const entries = Array.from({ length: 20 }, () => [
      mine(),
      ...plugins.map((plugin) => plugin.execute(command)),
    ]).flat();
    expect(new Set(await Promise.all(entries))).toEqual(new Set([1]));
    expect(await state.get('most inside')).toBe(1);
  });

  it('of another name does not wait', async () => {
    const manager = createManager();
    const plugin = await runUser(manager);
    await manager.context.lock('mine', async () => {
      expect(await plugin.execute({ do: 'lock', name: 'other', entry: 'x' })).toBe(1);
    });
  });

  it('is waited for no longer than timeoutMs', async () => {
    const manager = createManager();
    const plugin = await runUser(manager);
    await manager.context.lock('door', async () => {
      const options = { timeoutMs: 50 };
      const error = await failureOf(
        plugin.execute({ do: 'lock', name: 'door', entry: 'x', options }),
      );
      expect(error).toMatchObject({ code: 'CALL_FAILED', cause: { code: 'CALL_TIMEOUT' } });
      const mine = manager.context.lock('door', () => 'never', options);
      expect(await failureOf(mine)).toMatchObject({ code: 'CALL_TIMEOUT' });
    });
    expect(await plugin.execute({ do: 'lock', name: 'door', entry: 'x' })).toBe(1);
  });

  it('is released when the function throws', async () => {
    const manager = createManager();
    const broken = manager.context.lock('door', () => {
      throw new Error('inside');
    });
    await expect(broken).rejects.toThrow('inside');
    expect(await manager.context.lock('door', () => 'free')).toBe('free');
  });

  it.for(['crash', 'unload'])('is released when its holder ends by %s', async (how, { skip }) => {
    skip(ISOLATION === 'pool' && how === 'crash', 'another thread of the pool crashes');
    const manager = createManager();
    const holder = await run(manager, 'context-user.mjs', {
      id: 'holder',
      concurrency: 2,
      restart: EAGER_RESTART,
      limits: { stopTimeoutMs: 200 },
    });
    const other = await runUser(manager, 'other');
    const held = later(holder.execute({ do: 'lock for ever', name: 'door' }));
    await eventually(async () => {
      expect(await manager.context.state.get('holding')).toBe(true);
    });
    const waiting = other.execute({ do: 'lock', name: 'door', entry: 'x' });
    if (how === 'crash') await failureOf(holder.execute({ do: 'exit' }));
    else await failureOf(holder.unload());
    expect(await waiting).toBe(1);
    expect((await failureOf(held)).code).toBe(
      how === 'crash' ? 'PLUGIN_CRASHED' : 'PLUGIN_STOPPED',
    );
  });
});

it('a plugin knows its id, its agent, its generation and its config', async () => {
  const manager = createManager('my_agent');
  const config = { model: 'm', nested: { list: [1, undefined], when: new Date(0) } };
  const plugin = await run(manager, 'context-user.mjs', { id: 'me', config });
  expect(await plugin.execute({ do: 'about' })).toEqual({
    id: 'me',
    agentId: 'my_agent',
    generation: 1,
    config,
  });
});
