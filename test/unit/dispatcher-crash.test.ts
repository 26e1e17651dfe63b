import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FLAG, KIND } from '../../src/protocol/frame.ts';
import { runningPlugin, STOPPED } from '../support/running-plugin.ts';
import { turns } from '../support/turns.ts';

const IDEMPOTENT = { flags: FLAG.idempotent };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('when a plugin died', () => {
  it('a call that had not begun is delivered to the next life, before those that came later', async () => {
    const { dispatcher, actor, ask, crash } = runningPlugin();
    const early = [1, 2, 3].map((n) => ask(n));
    await turns();
    actor.begin();
    dispatcher.setFlowing(false);
    const late = ask(4);
    const next = crash();
    await turns();
    next.finish();
    await turns();
    expect(next.begun).toEqual([2, 3, 4]);
    expect([...early, late].map(({ heard }) => heard)).toEqual([
      ['PLUGIN_CRASHED'],
      ['result 2'],
      ['result 3'],
      ['result 4'],
    ]);
    expect(early[0]?.error).toMatchObject({
      message: 'p crashed',
      data: { reason: 'exit', deliveries: 1, deadLetter: false },
    });
    expect(dispatcher.meter).toMatchObject({ started: 4, succeeded: 3, crashed: 1 });
    expect(dispatcher.deadLetters.list()).toEqual([]);
  });

  it('a result that had arrived wins over the death', async () => {
    const { actor, ask, crash } = runningPlugin();
    const receiver = ask('q');
    await turns();
    actor.finish();
    crash();
    expect(receiver.heard).toEqual(['result q']);
  });

  it('a late reply of the earlier life is dropped', async () => {
    const { actor, ask, crash } = runningPlugin();
    const receiver = ask('q');
    await turns();
    const visit = actor.begin();
    crash();
    if (visit) actor.reply(visit, KIND.result, 'too late');
    await turns();
    expect(receiver.heard).toEqual(['PLUGIN_CRASHED']);
  });

  it('an idempotent call that had begun is delivered again, once; then it is a dead letter', async () => {
    const { dispatcher, actor, ask, crash, deadLetter } = runningPlugin();
    const receiver = ask('poison', IDEMPOTENT);
    await turns();
    actor.begin();
    const second = crash();
    await turns();
    expect(second.begin()).toMatchObject({ value: 'poison' });
    expect(receiver.heard).toEqual([]);
    const third = crash();
    await turns();
    expect(third.inbox).toEqual([]);
    expect(receiver.heard).toEqual(['PLUGIN_CRASHED']);
    expect(receiver.error?.data).toMatchObject({ deliveries: 2, deadLetter: true });
    expect(dispatcher.meter).toMatchObject({ started: 1, crashed: 1 });
    const letters = dispatcher.deadLetters.list();
    expect(letters).toEqual([
      expect.objectContaining({
        number: 1,
        pluginId: 'p',
        reason: 'poison',
        message: 'p crashed',
        deliveries: 2,
        generation: 2,
      }),
    ]);
    expect(deadLetter.mock.calls).toEqual([letters]);
    expect(letters[0]?.input()).toBe('poison');
  });

  it('is delivered again as often as redeliver says', async () => {
    const { actor, ask, crash } = runningPlugin({ restart: { redeliver: 3 } });
    const receiver = ask('poison', IDEMPOTENT);
    let life = actor;
    let begun = 0;
    for (let i = 0; i < 6; i++) {
      await turns();
      if (life.begin()) begun++;
      life = crash();
    }
    expect([begun, receiver.settled]).toEqual([4, 1]);
  });

  it('a delivery that had not begun does not count against an idempotent call', async () => {
    const { actor, ask, crash } = runningPlugin();
    const receiver = ask('unlucky', IDEMPOTENT);
    await turns();
    expect(actor.inbox).toHaveLength(1);
    const second = crash();
    await turns();
    expect(second.begin()).toMatchObject({ value: 'unlucky' });
    const third = crash();
    await turns();
    third.finish();
    await turns();
    expect(receiver.heard).toEqual(['result unlucky']);
  });

  it('an idempotent stream that gave chunks ends there, and is no dead letter', async () => {
    const { actor, ask, crash, deadLetter } = runningPlugin();
    const receiver = ask('q', { flags: FLAG.idempotent | FLAG.stream });
    await turns();
    const visit = actor.begin();
    if (visit) actor.reply(visit, KIND.chunk, 'one');
    await turns();
    crash();
    expect(receiver.heard).toEqual(['chunk one', 'PLUGIN_CRASHED']);
    expect(deadLetter.mock.calls.length).toBe(0);
  });

  it('on purpose, what had begun is told so and what had not waits', async () => {
    const { dispatcher, actor, ask, crash } = runningPlugin();
    const [begun, waiting] = [ask(1, IDEMPOTENT), ask(2)];
    await turns();
    actor.begin();
    crash('aborted', STOPPED);
    expect([begun.heard, waiting.heard]).toEqual([['PLUGIN_STOPPED'], []]);
    expect(dispatcher.meter).toMatchObject({ aborted: 1, crashed: 0 });
  });
});
