/** Children that come and go while their group runs, and its end. DESIGN §7. */
import { describe, expect, it } from 'vitest';

import { nextEvent, recordEvents, eventsOf } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import {
  abc,
  breaks,
  child,
  generationsOf,
  PATIENT,
  reaches,
  statesOf,
  storyOf,
} from '../support/group.ts';
import { createManager } from '../support/manager.ts';
import { failureFrom, failureOf, failuresOf, later } from '../support/outcomes.ts';
import { soon } from '../support/soon.ts';

const SLOWLY = { backoff: { minMs: 60_000, maxMs: 60_000, jitter: 0 } };

describe('a child', () => {
  it('is added behind the others, stopped, started, restarted, removed and listed', async () => {
    const manager = createManager();
    const group = await manager.group('g', {}, abc());
    await group.add(child('d'));
    expect(group.list().at(-1)).toEqual({ id: 'd', state: 'running', generation: 1 });
    await group.stop('d');
    expect(statesOf(group)['d']).toBe('unloaded');
    await group.start('d');
    await group.restart('d');
    expect(group.list().at(-1)).toEqual({ id: 'd', state: 'running', generation: 3 });
    await group.stop('d');
    await group.restart('d');
    expect(generationsOf(group)).toEqual({ a: 1, b: 1, c: 1, d: 4 });
    await group.stop('d');
    await group.remove('d');
    expect(Object.keys(statesOf(group))).toEqual(['a', 'b', 'c']);
    expect(await failureOf(manager.execute('d', 'generation'))).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('that was added is one of the group: a sibling takes it along', async () => {
    const manager = createManager();
    const group = await manager.group('g', { strategy: 'rest-for-one' }, abc());
    await group.add(child('d'));
    await failureOf(manager.execute('c', 'exit'));
    await reaches(group, { b: 1, c: 2, d: 2 });
  });

  it('that is running is neither started again nor removed', async () => {
    const manager = createManager();
    const group = await manager.group('g', {}, abc());
    const refused = { code: 'INVALID_STATE', pluginId: 'a' };
    expect(await failureOf(group.start('a'))).toMatchObject({
      ...refused,
      data: { reason: 'already-started' },
    });
    expect(await failureOf(group.remove('a'))).toMatchObject({
      ...refused,
      data: { reason: 'running' },
    });
    expect(statesOf(group)).toMatchObject({ a: 'running' });
  });

  it('may be a group: stopped, started, restarted and removed as one', async () => {
    const manager = createManager();
    const group = await manager.group('g', {}, [child('a')]);
    await group.add({ group: 'inner', children: [child('x'), child('y')] });
    const inner = group.group('inner');
    await storyOf(manager);
    await group.restart('inner');
    expect([inner.state, generationsOf(group)]).toEqual(['running', { a: 1, inner: 2 }]);
    expect(await storyOf(manager)).toEqual(['down y', 'down x', 'up x', 'up y']);
    await group.stop('inner');
    expect([inner.state, statesOf(inner)]).toEqual(['unloaded', { x: 'unloaded', y: 'unloaded' }]);
    await group.start('inner');
    await reaches(inner, { x: 3, y: 3 });
    expect(await failureOf(group.remove('inner'))).toMatchObject({ data: { reason: 'running' } });
    await group.stop('inner');
    await group.remove('inner');
    expect(manager.listPlugins().map(({ id }) => id)).toEqual(['a']);
    expect(await failureFrom(() => group.group('a'))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('that is unknown is named, with those there are', async () => {
    const manager = createManager();
    const group = await manager.group('g', {}, abc());
    await manager.register(child('stranger'));
    for (const verb of ['start', 'stop', 'restart', 'remove'] as const) {
      const error = await failureOf(group[verb]('stranger'));
      expect(error).toMatchObject({ code: 'NOT_FOUND', pluginId: 'stranger' });
      expect(error.message).toContain('a, b, c');
    }
  });

  it('whose start fails when it is added is forgotten; by hand, it stays down', async () => {
    const manager = createManager();
    const group = await manager.group('g', {}, abc());
    await breaks(manager, 'd', 'throw');
    expect(await failureOf(group.add(child('d')))).toMatchObject({ code: 'INIT_FAILED' });
    expect(Object.keys(statesOf(group))).toEqual(['a', 'b', 'c']);
    await breaks(manager, 'c', 'throw');
    await group.stop('c');
    expect(await failureOf(group.start('c'))).toMatchObject({ code: 'INIT_FAILED' });
    expect(statesOf(group)).toEqual({ a: 'running', b: 'running', c: 'failed' });
    await breaks(manager, 'c', undefined);
    await group.start('c');
    expect(statesOf(group)).toMatchObject({ c: 'running' });
  });

  it('takes a name once, as plugin or as group', async () => {
    const manager = createManager();
    const group = await manager.group('g', {}, abc());
    const taken = { code: 'ALREADY_REGISTERED' };
    expect(await failureOf(group.add(child('a')))).toMatchObject(taken);
    expect(await failureOf(group.add(child('g')))).toMatchObject(taken);
    expect(await failureOf(manager.register(child('g')))).toMatchObject(taken);
    expect(await failureOf(manager.group('a', {}, []))).toMatchObject(taken);
    expect(await failureOf(manager.group('g', {}, []))).toMatchObject(taken);
    expect(await failureOf(manager.group('h', {}, [child('x'), child('x')]))).toMatchObject(taken);
    expect(manager.listPlugins().map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('of a wrong shape is refused by name, before anything is registered', async () => {
    const manager = createManager();
    const wrong = { strategy: 'some-for-none', intensity: -1 } as unknown as object;
    const error = await failureOf(manager.group('g', wrong, abc()));
    expect(error).toMatchObject({ code: 'INVALID_SPEC' });
    expect(error.message).toMatch(/strategy.*intensity/);
    const nested = { group: 'h', children: [{ id: 'x' }] } as unknown as Parameters<
      typeof manager.group
    >[2][0];
    expect(await failureOf(manager.group('g', {}, [...abc(), nested]))).toMatchObject({
      code: 'INVALID_SPEC',
    });
    expect(manager.listPlugins()).toEqual([]);
  });
});

describe('a child that keeps failing to start', () => {
  it.each([
    ['at once, again and again', 'exit', {}],
    ['and hangs', 'hang', {}],
    ['later and later', 'exit', SLOWLY],
  ] as const)('%s blocks no call to its group', async (_, how, restart) => {
    const manager = createManager();
    const specs = [child('a'), child('b', { restart }), child('c')];
    const group = await manager.group('g', PATIENT, specs);
    await breaks(manager, 'b', how);
    await failureOf(manager.execute('b', 'exit'));
    await eventually(() => statesOf(group)['b'] === 'restarting');
    const waiting = later(manager.execute('b', 'generation'));
    const restarting = { code: 'INVALID_STATE', data: { reason: 'restarting' } };
    for (const verb of ['start', 'restart', 'remove'] as const) {
      expect(await failureOf(group[verb]('b'))).toMatchObject(restarting);
    }
    await soon(group.add(child('d')));
    await soon(group.restart('c'));
    await failureOf(manager.execute('a', 'exit'));
    await reaches(group, { a: 2, c: 2, d: 1 });
    expect(statesOf(group)).toMatchObject({ b: 'restarting' });
    await soon(group.stop('b'));
    expect(await failureOf(waiting)).toMatchObject({ code: 'PLUGIN_STOPPED' });
    await soon(group.remove('b'));
    expect(statesOf(group)).toEqual({ a: 'running', c: 'running', d: 'running' });
  });

  it.each(['exit', 'hang'] as const)('(%s) does not block the end of its group', async (how) => {
    const manager = createManager();
    // longer than anybody waits here: the group waits for none of them
    const limits = { hookTimeoutMs: 120_000, stopTimeoutMs: 60_000 };
    const group = await manager.group('g', { ...PATIENT, strategy: 'one-for-all' }, [
      child('a'),
      child('b', { limits }),
      child('c'),
    ]);
    await breaks(manager, 'b', how);
    const broken = eventually(async () => (await storyOf(manager)).includes('broken b'));
    await failureOf(manager.execute('b', 'exit'));
    await broken;
    expect(await soon(group.close())).toEqual({ clean: true, problems: [] });
    expect(manager.listPlugins()).toEqual([]);
  });

  it('by hand tells whoever restarted it, and the group goes on', async () => {
    const manager = createManager();
    const group = await manager.group('g', PATIENT, abc());
    await breaks(manager, 'b', 'throw');
    expect(await failureOf(group.restart('b'))).toMatchObject({ code: 'INIT_FAILED' });
    await breaks(manager, 'b', undefined);
    await eventually(() => statesOf(group)['b'] === 'running');
  });
});

describe('the end of a group', () => {
  it('is in reverse, whoever dies meanwhile, and nobody is restarted', async () => {
    const manager = createManager();
    const group = await manager.group('g', { ...PATIENT, strategy: 'one-for-all' }, abc());
    await manager.context.state.set('c dies in stop', true);
    await manager.context.state.set('b dies in stop', true);
    await storyOf(manager);
    const events = recordEvents(manager);
    await group.close();
    expect(await storyOf(manager)).toEqual(['down c', 'down b', 'down a']);
    expect(eventsOf(events, 'restarting')).toEqual([]);
    expect(manager.listPlugins()).toEqual([]);
  });

  it('does not wait for a child that died by itself just before', async () => {
    const manager = createManager();
    const group = await manager.group('g', { ...PATIENT, strategy: 'rest-for-one' }, abc());
    const crashed = nextEvent(manager, 'crashed');
    const deadly = later(manager.execute('a', 'exit'));
    await crashed;
    const report = await soon(group.close());
    expect(report.clean).toBe(true);
    await failureOf(deadly);
    expect(manager.listPlugins()).toEqual([]);
  });

  it.each(['stopAll', 'unloadAll', 'close'] as const)(
    'by manager.%s is in reverse',
    async (verb) => {
      const manager = createManager();
      const group = await manager.group('g', { ...PATIENT, strategy: 'one-for-all' }, [
        child('a'),
        { group: 'inner', children: [child('b'), child('c')] },
        child('d'),
      ]);
      await storyOf(manager);
      const downs: string[] = [];
      manager.on('state-changed', ({ id, from, to }) => {
        if (from === 'running') downs.push(`${id} ${to}`);
      });
      await manager[verb]();
      const to = verb === 'stopAll' ? 'initialized' : 'unloaded';
      expect(downs).toEqual(['d', 'c', 'b', 'a'].map((id) => `${id} ${to}`));
      expect(statesOf(group)).toMatchObject({ a: to, d: to });
    },
  );

  it('is not the end of its plugins at stopAll: they start again and are guarded again', async () => {
    const manager = createManager();
    const group = await manager.group('g', { strategy: 'one-for-all' }, abc());
    await manager.stopAll();
    await manager.startAll();
    await failureOf(manager.execute('b', 'exit'));
    await reaches(group, { a: 2, b: 2, c: 2 });
  });

  it('leaves no plugin of a group that is still starting', async () => {
    const manager = createManager();
    await breaks(manager, 'b', 'hang');
    // time enough to come to where it hangs: the group is starting until that is given up
    const hanging = child('b', { limits: { hookTimeoutMs: 5_000 } });
    const making = later(manager.group('g', {}, [child('a'), hanging, child('c')]));
    await eventually(async () => (await storyOf(manager)).includes('broken b'));
    await manager.close();
    await failureOf(making);
    expect(manager.listPlugins()).toEqual([]);
  });

  it('is told of by handles of it', async () => {
    const manager = createManager();
    const group = await manager.group('g', {}, [child('a')]);
    await group.close();
    await group.close();
    expect([group.list(), group.state]).toEqual([[], 'unloaded']);
    expect(await failureOf(group.add(child('a')))).toMatchObject({ data: { reason: 'ended' } });
    expect(await failureOf(group.start('a'))).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('children and verbs for all plugins', () => {
  it('go up in the group’s order', async () => {
    const manager = createManager();
    await manager.group('g', {}, abc());
    await manager.unloadAll();
    await storyOf(manager);
    await manager.up();
    expect(await storyOf(manager)).toEqual(['up a', 'up b', 'up c']);
  });

  it('fail as any other', async () => {
    const manager = createManager();
    await manager.group('g', {}, abc());
    await manager.unloadAll();
    await breaks(manager, 'b', 'throw');
    expect((await failuresOf(manager.up())).map(({ pluginId }) => pluginId)).toEqual(['b']);
  });
});
