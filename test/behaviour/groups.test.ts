/** Groups: who is restarted with whom, and when a group gives up. DESIGN §7. */
import { describe, expect, it } from 'vitest';

import { eventsOf, nextEvent, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { abc, breaks, child, PATIENT, reaches, statesOf, storyOf } from '../support/group.ts';
import { createManager } from '../support/manager.ts';
import { codesOf, failureOf, later } from '../support/outcomes.ts';

describe('a group', () => {
  it('starts in order, one after the other, and stops in reverse', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const group = await manager.group('g', {}, abc());
    expect(group.list()).toEqual(
      ['a', 'b', 'c'].map((id) => ({ id, state: 'running', generation: 1 })),
    );
    const ups = eventsOf(events, 'state-changed').map(({ id, to }) => `${id} ${to}`);
    const path = ['loading', 'loaded', 'initialized', 'running'];
    expect(ups).toEqual(['a', 'b', 'c'].flatMap((id) => path.map((to) => `${id} ${to}`)));
    expect(await storyOf(manager)).toEqual(['up a', 'up b', 'up c']);
    expect(await group.close()).toEqual({ clean: true, problems: [] });
    expect(await storyOf(manager)).toEqual(['down c', 'down b', 'down a']);
    expect(manager.listPlugins()).toEqual([]);
  });

  it('that cannot start stops those that had started, and leaves nothing behind', async () => {
    const manager = createManager();
    await breaks(manager, 'c', 'throw');
    const error = await failureOf(manager.group('g', {}, abc()));
    expect(error).toMatchObject({ code: 'INIT_FAILED', pluginId: 'c' });
    expect(await storyOf(manager)).toEqual(['up a', 'up b', 'broken c', 'down b', 'down a']);
    expect(manager.listPlugins()).toEqual([]);
    await breaks(manager, 'c', undefined);
    expect(statesOf(await manager.group('g', {}, abc()))).toMatchObject({ c: 'running' });
  });

  it.each([
    ['one-for-one', 'b', { a: 1, b: 2, c: 1 }, ['up b']],
    ['one-for-all', 'b', { a: 2, b: 2, c: 2 }, ['down c', 'down a', 'up a', 'up b', 'up c']],
    ['rest-for-one', 'b', { a: 1, b: 2, c: 2 }, ['down c', 'up b', 'up c']],
    ['rest-for-one', 'c', { a: 1, b: 1, c: 2 }, ['up c']],
  ] as const)('%s restarts, when %s ends, %o', async (strategy, ends, lives, story) => {
    const manager = createManager();
    const group = await manager.group('g', { strategy }, abc());
    await storyOf(manager);
    const events = recordEvents(manager);
    await failureOf(manager.execute(ends, 'exit'));
    await reaches(group, lives);
    expect(await storyOf(manager)).toEqual(story);
    const moved = story.filter((line) => line.startsWith('up')).map((line) => line.slice(3));
    for (const type of ['restarting', 'restarted'] as const) {
      const told = eventsOf(events, type).map(({ id, group: name }) => [id, name]);
      expect([type, told]).toEqual([type, moved.map((id) => [id, 'g'])]);
    }
  });

  it('keeps the calls that wait across a restart of all', async () => {
    const manager = createManager();
    const group = await manager.group('g', { strategy: 'one-for-all' }, abc());
    const held = later(manager.execute('a', 'hold'));
    await eventually(async () => (await manager.context.state.get('a holds')) === true);
    const waiting = ['a', 'b', 'c'].map((id) => manager.execute(id, 'generation'));
    const deadly = later(manager.execute('b', 'exit'));
    const after = manager.execute('b', 'generation');
    await failureOf(deadly);
    await eventually(() => statesOf(group)['a'] === 'restarting');
    const meanwhile = ['a', 'b', 'c'].map((id) => manager.execute(id, 'generation'));
    await manager.context.state.set('go', true);
    // begun calls may end, as at a restart by hand
    expect(await held).toBe('held');
    expect(await Promise.all([after, ...meanwhile])).toEqual([2, 2, 2, 2]);
    expect((await Promise.all(waiting))[0]).toBe(2);
    await reaches(group, { a: 2, b: 2, c: 2 });
  });

  it('tries again as a whole when a sibling does not come back', async () => {
    const manager = createManager();
    const group = await manager.group('g', { ...PATIENT, strategy: 'one-for-all' }, abc());
    await breaks(manager, 'c', 'exit');
    await storyOf(manager);
    const crashed = nextEvent(manager, 'crashed', ({ id }) => id === 'c');
    await failureOf(manager.execute('a', 'exit'));
    await crashed;
    await breaks(manager, 'c', undefined);
    await eventually(() => {
      expect(statesOf(group)).toEqual({ a: 'running', b: 'running', c: 'running' });
    });
    const story = await storyOf(manager);
    expect(story.slice(0, 7)).toEqual([
      'down c',
      'down b',
      'up a',
      'up b',
      'broken c',
      'down b',
      'down a',
    ]);
    expect(story.slice(-3)).toEqual(['up a', 'up b', 'up c']);
  });

  it('leaves a temporary child down, and brings back one that had finished', async () => {
    const manager = createManager();
    const specs = abc({ a: 'temporary', b: 'transient' });
    const group = await manager.group('g', { strategy: 'one-for-all' }, specs);
    await failureOf(manager.execute('b', 'leave'));
    await eventually(() => statesOf(group)['b'] === 'unloaded');
    await failureOf(manager.execute('c', 'exit'));
    await reaches(group, { b: 2, c: 2 });
    expect(statesOf(group)).toEqual({ a: 'unloaded', b: 'running', c: 'running' });
  });

  it('leaves a child down that was stopped by hand', async () => {
    const manager = createManager();
    const group = await manager.group('g', { strategy: 'one-for-all' }, abc());
    await group.stop('b');
    await failureOf(manager.execute('c', 'exit'));
    await reaches(group, { a: 2, c: 2 });
    expect(statesOf(group)).toEqual({ a: 'running', b: 'unloaded', c: 'running' });
  });
});

describe('the intensity', () => {
  it('is the group’s: beyond it all children end in reverse, failed, and calls are rejected', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const group = await manager.group('g', { intensity: 2, periodMs: 60_000 }, abc());
    for (const [id, life] of [
      ['a', 2],
      ['b', 2],
    ] as const) {
      await failureOf(manager.execute(id, 'exit'));
      await reaches(group, { [id]: life });
    }
    await storyOf(manager);
    const gaveUp = nextEvent(manager, 'gave-up');
    const deadly = later(manager.execute('b', 'exit'));
    const waiting = later(manager.execute('b', 'generation'));
    expect(await codesOf([deadly, waiting])).toEqual(['PLUGIN_CRASHED', 'PLUGIN_CRASHED']);
    expect(await gaveUp).toMatchObject({ id: 'g', why: 'too-often' });
    await eventually(() => {
      expect(statesOf(group)).toEqual({ a: 'failed', b: 'failed', c: 'failed' });
    });
    expect(await storyOf(manager)).toEqual(['down c', 'down a']);
    expect(group.state).toBe('failed');
    expect(eventsOf(events, 'gave-up')).toHaveLength(1);
    expect(await failureOf(group.start('a'))).toMatchObject({
      code: 'INVALID_STATE',
      data: { reason: 'ended' },
    });
    await group.close();
    expect(manager.listPlugins()).toEqual([]);
  });

  it('ends with no thread left, also of a child that was stopped by hand', async () => {
    const manager = createManager();
    const group = await manager.group('g', { intensity: 0 }, abc());
    await manager.stop('a');
    expect(statesOf(group)['a']).toBe('initialized');
    await failureOf(manager.execute('c', 'exit'));
    await eventually(() => {
      expect(statesOf(group)).toEqual({ a: 'unloaded', b: 'failed', c: 'failed' });
    });
  });

  it('counts a child that keeps failing to come back', async () => {
    const manager = createManager();
    const group = await manager.group('g', { intensity: 2 }, abc());
    await breaks(manager, 'b', 'throw');
    const gaveUp = nextEvent(manager, 'gave-up');
    await storyOf(manager);
    await failureOf(manager.execute('b', 'exit'));
    await gaveUp;
    await eventually(() => group.state === 'failed');
    expect(await storyOf(manager)).toEqual(['broken b', 'broken b', 'down c', 'down a']);
  });

  it('escalates: the group above counts it as one end, and ends with its own', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const inner = {
      group: 'inner',
      intensity: 1,
      periodMs: 60_000,
      children: [child('x'), child('y')],
    };
    const outer = { group: 'outer', intensity: 1, periodMs: 60_000, children: [child('b'), inner] };
    const top = await manager.group('top', { intensity: 0 }, [child('a'), outer]);
    const nested = top.group('outer').group('inner');
    await failureOf(manager.execute('x', 'exit'));
    await reaches(nested, { x: 2, y: 1 });
    await failureOf(manager.execute('x', 'exit'));
    // inner gave up; outer made it anew, with a new budget
    await reaches(nested, { x: 3, y: 2 });
    expect(top.group('outer').list()).toEqual([
      { id: 'b', state: 'running', generation: 1 },
      { id: 'inner', state: 'running', generation: 2 },
    ]);
    await failureOf(manager.execute('y', 'exit'));
    await reaches(nested, { y: 3 });
    await failureOf(manager.execute('y', 'exit'));
    await eventually(() => {
      expect(manager.listPlugins().map(({ id, state }) => `${id} ${state}`)).toEqual(
        ['a', 'b', 'x', 'y'].map((id) => `${id} failed`),
      );
    });
    expect(eventsOf(events, 'gave-up').map(({ id }) => id)).toEqual([
      'inner',
      'inner',
      'outer',
      'top',
    ]);
  });
});
