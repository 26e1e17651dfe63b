/** What the embedding program itself hands to the runtime, and how it goes wrong. FAILURES 36. */
import process from 'node:process';

import { PluginManager, type KernelEvent } from 'troupe';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { eventsOf } from '../../support/events.ts';
import { eventually } from '../../support/eventually.ts';
import { crashed, FailureScene } from '../../support/failure-scene.ts';
import { specOf } from '../../support/manager.ts';
import { codesOf, failureOf, later } from '../../support/outcomes.ts';
import { soon } from '../../support/soon.ts';

const REFUSE = {
  get(): never {
    throw new Error('do not touch');
  },
};

function fallOver(): never {
  throw new RangeError('fell over');
}

/** Each falls over in its own way. */
const LISTENERS: Record<string, () => unknown> = {
  'throws': fallOver,
  'throws undefined': () => {
    // oxlint-disable-next-line typescript/only-throw-error -- the mistake is the point
    throw undefined;
  },
  'throws a proxy that refuses': () => {
    // oxlint-disable-next-line typescript/only-throw-error -- the mistake is the point
    throw new Proxy({}, REFUSE);
  },
  'rejects': async () => {
    await Promise.resolve();
    throw new RangeError('fell over later');
  },
};

describe('row 36: a listener', () => {
  it.each(Object.entries(LISTENERS))(
    'that %s hears everything, and harms nobody',
    async (_, fall) => {
      const scene = await FailureScene.open('thread');
      let heard = 0;
      const listener = (): unknown => {
        heard++;
        return fall();
      };
      const { manager } = scene;
      manager.on('*', listener);
      manager.on('log', listener);
      manager.on('progress', listener);
      manager.on('crashed', listener);
      manager.context.events.on('*', listener);
      await manager.context.events.emit('topic', 1);
      await scene.plugin.execute({ do: 'print', lines: 3 });
      scene.made(1);
      expect(await scene.settles({ do: 'throw' })).toEqual(crashed('PLUGIN_CRASHED'));
      await scene.survived({ lives: 2 });
      expect(heard).toBeGreaterThan(10);
      await eventually(() => {
        expect(eventsOf(scene.events, 'warning').length).toBeGreaterThan(5);
      });
    },
  );
});

describe('row 36: what the program gave', () => {
  it('(a reader of events that falls over, and one that never reads) stops nobody', async () => {
    const scene = await FailureScene.open('thread');
    const idle = scene.manager.events()[Symbol.asyncIterator]();
    const falling = (async () => {
      for await (const { type } of scene.manager.events()) throw new RangeError(type);
    })();
    falling.catch(() => undefined);
    expect(await scene.settles({ do: 'exit', code: 1 })).toEqual(crashed('PLUGIN_CRASHED'));
    await expect(falling).rejects.toThrow(RangeError);
    await scene.survived({ lives: 2 });
    expect(await soon(idle.return?.() ?? Promise.reject(new Error('no return')))).toMatchObject({
      done: true,
    });
  });

  it('(a listener that calls, restarts and unloads from inside an event) finds everything in order', async () => {
    const scene = await FailureScene.open('thread');
    const made: Promise<unknown>[] = [];
    const inside = scene.manager.on('crashed', ({ id }) => {
      inside();
      made.push(
        later(scene.manager.execute(id, { do: 'echo', value: 1 })),
        later(scene.manager.restart(id)),
        later(scene.manager.health(id)),
        later(scene.manager.stats(id)),
      );
    });
    expect(await scene.settles({ do: 'exit', code: 1 })).toEqual(crashed('PLUGIN_CRASHED'));
    expect(await codesOf(made)).toEqual(['ok', 'ok', 'ok', 'ok']);
    scene.made(1);
    const { generation } = (await scene.plugin.stats()) ?? { generation: 0 };
    await scene.survived({ lives: generation });
    const stop = scene.manager.on('state-changed', ({ id }) => {
      stop();
      made.push(later(scene.manager.unload(id)));
    });
    await codesOf([scene.plugin.pause()]);
    expect(await codesOf(made.slice(-1))).toEqual(['ok']);
    expect(scene.plugin.state).toBe('unloaded');
  });

  it('(functions for update and lock that throw) is its own error, and holds nothing', async () => {
    const scene = await FailureScene.open('thread');
    const { state, lock } = scene.manager.context;
    await expect(state.update('key', fallOver)).rejects.toThrow('fell over');
    await expect(lock('door', fallOver)).rejects.toThrow('fell over');
    expect(await soon(lock('door', () => 'free'))).toBe('free');
    const abort = new AbortController();
    abort.signal.addEventListener('abort', () => undefined);
    const call = later(scene.plugin.execute({ do: 'hold' }, { signal: abort.signal }));
    abort.abort(new Proxy({}, REFUSE));
    expect(await failureOf(call)).toMatchObject({ code: 'CALL_ABORTED' });
    await scene.letGo();
    await scene.outcomes();
    scene.made(1);
    await scene.survived({ lives: (await scene.plugin.stats())?.generation ?? 0 });
  });

  it('(nothing: lines are printed, also such as JSON has no words for)', async () => {
    const written: string[] = [];
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    onTestFinished(() => {
      write.mockRestore();
    });
    const manager = new PluginManager('printing');
    onTestFinished(async () => void (await manager.close()));
    await manager.register(specOf('saboteur.mjs', { isolation: 'thread' }));
    await manager.up();
    await manager.execute('saboteur', { do: 'log a cycle' });
    await eventually(() => {
      expect(written.join('')).toMatch(/^\[saboteur\] round <ref \*1> \{.*Circular/m);
    });
    const warnings: KernelEvent[] = [];
    manager.on('warning', (event) => warnings.push(event));
    await manager.execute('saboteur', { do: 'log a cycle' });
    expect(warnings).toEqual([]);
  });
});
