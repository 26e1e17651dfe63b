import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CANCEL_REASON, FLAG, KIND } from '../../src/protocol/frame.ts';
import { CALL_BYTES, WINDOW_BYTES } from '../../src/protocol/limits.ts';
import { Dispatcher } from '../../src/supervisor/dispatcher.ts';
import { FakeActor } from '../support/fake-actor.ts';
import { payloadOf } from '../support/frames.ts';
import { planFor } from '../support/plan.ts';
import { requestOf } from '../support/recorder.ts';
import { CRASH, runningPlugin, STOPPED } from '../support/running-plugin.ts';
import { turns } from '../support/turns.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('an accepted call', () => {
  it('is sent with what is left of its time, answered, and counted', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    dispatcher.setFlowing(false);
    const receiver = ask('q', { timeoutMs: 100, flags: FLAG.stream });
    vi.advanceTimersByTime(40);
    dispatcher.setFlowing(true);
    await turns();
    expect(actor.inbox).toMatchObject([{ value: 'q', detail: 60, flags: FLAG.stream }]);
    actor.finish();
    await turns();
    expect(receiver.heard).toEqual(['result q']);
    expect(dispatcher.meter).toMatchObject({ started: 1, succeeded: 1, failed: 0 });
    expect([dispatcher.inFlight, dispatcher.queued]).toEqual([0, 0]);
  });

  it('hears chunks, progress and failures as they come', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    const receiver = ask('q', { flags: FLAG.stream });
    await turns();
    const visit = actor.begin();
    if (!visit) throw new Error('no call arrived');
    actor.reply(visit, KIND.chunk, 'one');
    actor.reply(visit, KIND.progress, 'half');
    actor.reply(visit, KIND.failure, { name: 'E', message: 'broke' }, FLAG.runtime);
    await turns();
    expect(receiver.heard).toEqual(['chunk one', 'progress half', 'runtime failure broke']);
    expect(dispatcher.meter).toMatchObject({ succeeded: 0, failed: 1 });
  });

  it('waits its turn while calls do not flow', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    dispatcher.setFlowing(false);
    const receivers = [1, 2, 3].map((n) => ask(n));
    await turns();
    expect([actor.inbox, dispatcher.queued]).toEqual([[], 3]);
    dispatcher.setFlowing(true);
    await turns();
    actor.finish();
    await turns();
    expect(actor.begun).toEqual([1, 2, 3]);
    expect(receivers.map(({ heard }) => heard)).toEqual([['result 1'], ['result 2'], ['result 3']]);
  });

  it('waits for room at the actor, and goes when there is', async () => {
    const dispatcher = new Dispatcher(planFor('p'), { hang: vi.fn(), deadLetter: vi.fn() });
    const actor = new FakeActor(1, 2);
    dispatcher.connect(actor.target);
    dispatcher.setFlowing(true);
    for (let n = 1; n <= 5; n++) dispatcher.accept(requestOf(n));
    expect([dispatcher.inFlight, dispatcher.queued]).toEqual([2, 3]);
    await turns();
    actor.finish();
    await turns();
    expect([dispatcher.inFlight, dispatcher.queued]).toEqual([2, 1]);
    actor.finish();
    await turns();
    actor.finish();
    await turns();
    expect(actor.begun).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('a call is refused at once, and not counted as started,', () => {
  it('where it was aborted before it was made', () => {
    const { dispatcher, ask } = runningPlugin();
    const { heard, error } = ask('q', { signal: AbortSignal.abort(new Error('why')) });
    expect(heard).toEqual(['CALL_ABORTED']);
    expect(error).toMatchObject({
      pluginId: 'p',
      data: { phase: 'queued' },
      cause: { message: 'why' },
    });
    expect(dispatcher.meter.started).toBe(0);
  });

  it('where the mailbox is full', () => {
    const { dispatcher, ask } = runningPlugin({ mailbox: { capacity: 2 } });
    dispatcher.setFlowing(false);
    const receivers = [1, 2, 3].map((n) => ask(n));
    expect(receivers.map(({ heard }) => heard)).toEqual([[], [], ['MAILBOX_FULL']]);
    expect(receivers[2]?.error).toMatchObject({ pluginId: 'p', data: { capacity: 2 } });
    expect([dispatcher.meter.started, dispatcher.queued]).toEqual([2, 2]);
  });

  it('where what waits holds too much, also where it might wait', () => {
    for (const overflow of ['reject', 'wait'] as const) {
      const mailbox = { capacity: 2, overflow, bytesMax: 3 * CALL_BYTES };
      const { dispatcher, ask } = runningPlugin({ mailbox });
      dispatcher.setFlowing(false);
      const receivers = ['x'.repeat(2 * CALL_BYTES), 'y'].map((text) => ask(text));
      expect(receivers.map(({ heard }) => heard)).toEqual([[], ['MAILBOX_FULL']]);
      const message = expect.stringContaining('mailbox.bytesMax') as string;
      const data = { bytesMax: 3 * CALL_BYTES };
      expect(receivers[1]?.error).toMatchObject({ pluginId: 'p', message, data });
      expect([dispatcher.meter.started, dispatcher.queued]).toEqual([1, 1]);
    }
  });

  it('unless its mailbox lets it wait', async () => {
    const { dispatcher, actor, ask } = runningPlugin({
      mailbox: { capacity: 2, overflow: 'wait' },
    });
    dispatcher.setFlowing(false);
    const receivers = [1, 2, 3].map((n) => ask(n));
    expect(receivers.map(({ heard }) => heard)).toEqual([[], [], []]);
    dispatcher.setFlowing(true);
    await turns();
    actor.finish();
    await turns();
    expect(receivers.map(({ heard }) => heard)).toEqual([['result 1'], ['result 2'], ['result 3']]);
  });
});

describe('a window in bytes', () => {
  const third = { payload: payloadOf('x'.repeat(WINDOW_BYTES / 3)) };

  it('holds back large inputs before the window in calls does', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    for (let call = 0; call < 4; call++) ask(undefined, third);
    await turns();
    expect([actor.inbox.length, dispatcher.queued]).toEqual([2, 2]);
    actor.finish();
    await turns();
    expect([actor.inbox.length, dispatcher.queued]).toEqual([2, 0]);
  });

  it('starts afresh with each life', async () => {
    const { dispatcher, ask, crash } = runningPlugin();
    for (let call = 0; call < 4; call++) ask(undefined, third);
    await turns();
    const next = crash();
    await turns();
    expect([next.inbox.length, dispatcher.queued]).toEqual([2, 2]);
  });

  it('lets one through that is larger than all of it', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    ask(undefined, {
      payload: { ...payloadOf('x'), attachments: [new ArrayBuffer(WINDOW_BYTES)] },
    });
    await turns();
    expect([actor.inbox.length, dispatcher.queued]).toEqual([1, 0]);
  });
});

describe('what waits can be dropped', () => {
  it('in the mailbox and at the actor, but not what has begun', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    const [begun, sent] = [ask(1), ask(2)];
    await turns();
    actor.begin();
    dispatcher.setFlowing(false);
    const queued = ask(3);
    dispatcher.dropWaiting(STOPPED);
    expect([begun.heard, sent.heard, queued.heard]).toEqual([
      [],
      ['PLUGIN_STOPPED'],
      ['PLUGIN_STOPPED'],
    ]);
    await turns();
    expect(actor.signals).toMatchObject([{ kind: KIND.cancel }]);
    actor.finish();
    await turns();
    expect([actor.begun, begun.heard]).toEqual([[1], ['result 1']]);
    expect(dispatcher.meter).toMatchObject({ started: 3, succeeded: 1, aborted: 2 });
  });

  it('and what the actor skips, because it was to be taken back a moment before', async () => {
    const { dispatcher, actor, begin } = runningPlugin();
    const { receiver, visit } = await begin(1);
    expect(dispatcher.handOver()).toEqual([]);
    dispatcher.dropWaiting(STOPPED);
    actor.reply(visit, KIND.skipped);
    await turns();
    expect(receiver.heard).toEqual(['PLUGIN_STOPPED']);
    expect([dispatcher.load, dispatcher.queued]).toEqual([0, 0]);
  });

  it('and is nowhere any more, also where a part of the target ends with it', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    const receiver = ask(1);
    dispatcher.dropWaiting(STOPPED);
    expect([receiver.heard, dispatcher.load]).toEqual([['PLUGIN_STOPPED'], 0]);
    dispatcher.lose(actor.target, CRASH, 'crashed');
    expect([dispatcher.load, dispatcher.inFlight, dispatcher.queued]).toEqual([0, 0, 0]);
  });

  it('and what stands still as well, when a paused plugin is to stop', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    const receiver = ask(1);
    await turns();
    actor.begin();
    dispatcher.dropBegun(STOPPED);
    expect(receiver.heard).toEqual(['PLUGIN_STOPPED']);
    await turns();
    expect(actor.signals).toMatchObject([{ kind: KIND.cancel, detail: CANCEL_REASON.stop }]);
  });
});
