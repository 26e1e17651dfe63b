import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CANCEL_REASON, KIND } from '../../src/protocol/frame.ts';
import { accountOf, runningPlugin } from '../support/running-plugin.ts';
import { turns } from '../support/turns.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a call whose time is up', () => {
  it('in the mailbox is refused as queued, and never begins', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    dispatcher.setFlowing(false);
    const receiver = ask('q', { timeoutMs: 50 });
    vi.advanceTimersByTime(50);
    expect(receiver.heard).toEqual(['CALL_TIMEOUT']);
    expect(receiver.error).toMatchObject({
      message: 'the call to p was still queued after 50 ms',
      pluginId: 'p',
      data: { phase: 'queued', timeoutMs: 50 },
    });
    dispatcher.setFlowing(true);
    await turns();
    expect([actor.inbox, dispatcher.meter.timedOut, dispatcher.queued]).toEqual([[], 1, 0]);
  });

  it('at the actor, but not begun, is refused as queued, and never begins', async () => {
    const { actor, ask, hang } = runningPlugin();
    const receiver = ask('q', { timeoutMs: 50 });
    await turns();
    vi.advanceTimersByTime(50);
    expect(receiver.error?.data).toEqual({ phase: 'queued', timeoutMs: 50 });
    actor.beginAll();
    await turns();
    vi.advanceTimersByTime(10_000);
    expect([actor.begun, receiver.settled, hang.mock.calls.length]).toEqual([[], 1, 0]);
  });

  it('while it runs is refused as running, and the actor is told', async () => {
    const { actor, begin } = runningPlugin();
    const { receiver, visit } = await begin('q', { timeoutMs: 50 });
    vi.advanceTimersByTime(50);
    expect(receiver.error?.data).toEqual({ phase: 'running', timeoutMs: 50 });
    await turns();
    expect(actor.signals).toMatchObject([
      { kind: KIND.cancel, number: visit.number, detail: CANCEL_REASON.deadline },
    ]);
  });

  it('counts from its acceptance, through a crash', async () => {
    const { actor, ask, crash } = runningPlugin();
    const receiver = ask('q', { timeoutMs: 100 });
    await turns();
    vi.advanceTimersByTime(60);
    expect(actor.inbox).toHaveLength(1);
    const next = crash();
    await turns();
    expect(next.inbox).toMatchObject([{ value: 'q', detail: 40 }]);
    vi.advanceTimersByTime(40);
    expect(receiver.heard).toEqual(['CALL_TIMEOUT']);
  });

  it('is told so once: what the actor says later is dropped', async () => {
    const { dispatcher, actor, begin } = runningPlugin();
    const { receiver, visit } = await begin('q', { timeoutMs: 50 });
    vi.advanceTimersByTime(50);
    actor.reply(visit, KIND.chunk, 'late');
    actor.reply(visit, KIND.result, 'later');
    await turns();
    expect(receiver.heard).toEqual(['CALL_TIMEOUT']);
    expect(accountOf(dispatcher)).toEqual({ in: 1, out: 1 });
  });

  it('leaves no timer behind once it is answered', async () => {
    const { actor, ask } = runningPlugin();
    for (let n = 0; n < 10; n++) ask(n, { timeoutMs: 50 });
    await turns();
    actor.finish();
    await turns();
    vi.advanceTimersByTime(50);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a call whose caller gives up', () => {
  it('is refused where it is: queued, or running', async () => {
    const { dispatcher, actor, ask, begin } = runningPlugin();
    const [one, two] = [new AbortController(), new AbortController()];
    const running = await begin(1, { signal: one.signal });
    dispatcher.setFlowing(false);
    const queued = ask(2, { signal: two.signal });
    one.abort();
    two.abort();
    expect([running.receiver.heard, queued.heard]).toEqual([['CALL_ABORTED'], ['CALL_ABORTED']]);
    expect(running.receiver.error?.data).toEqual({ phase: 'running' });
    expect(queued.error?.data).toEqual({ phase: 'queued' });
    await turns();
    expect(actor.signals).toMatchObject([{ kind: KIND.cancel, detail: CANCEL_REASON.abort }]);
    expect(dispatcher.meter).toMatchObject({ started: 2, aborted: 2 });
  });

  it('no longer listens to its signal once it is settled', async () => {
    const { actor, ask } = runningPlugin();
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, 'removeEventListener');
    const added = vi.spyOn(signal, 'addEventListener');
    const receiver = ask('q', { signal });
    await turns();
    actor.finish();
    await turns();
    expect([added.mock.calls.length, removed.mock.calls.length]).toEqual([1, 1]);
    expect(receiver.heard).toEqual(['result q']);
  });
});

describe('a begun call that was told to leave', () => {
  it('has the grace to do so; then its plugin counts as hung', async () => {
    const { begin, hang } = runningPlugin({ limits: { graceMs: 1_000 } });
    const { receiver } = await begin('q', { timeoutMs: 50 });
    vi.advanceTimersByTime(50 + 999);
    expect(hang).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(hang).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(60_000);
    expect([hang.mock.calls.length, receiver.settled]).toEqual([1, 1]);
  });

  it('and does so in time is forgiven', async () => {
    const { actor, begin, hang } = runningPlugin({ limits: { graceMs: 1_000 } });
    const { visit } = await begin('q', { timeoutMs: 50 });
    vi.advanceTimersByTime(500);
    actor.reply(visit, KIND.failure, { name: 'AbortError', message: 'aborted' });
    await turns();
    vi.advanceTimersByTime(60_000);
    expect(hang).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('and died is forgiven, too', async () => {
    const { begin, crash, hang } = runningPlugin();
    await begin('q', { timeoutMs: 50 });
    vi.advanceTimersByTime(500);
    crash();
    vi.advanceTimersByTime(60_000);
    expect(hang).not.toHaveBeenCalled();
  });
});

describe('a reply that cannot be decoded', () => {
  it("as a result is that call's failure alone", async () => {
    const { dispatcher, actor, begin } = runningPlugin();
    const { receiver, visit } = await begin('q');
    actor.garble(visit, KIND.result);
    await turns();
    expect(receiver.heard).toEqual(['PAYLOAD_INVALID']);
    expect(receiver.error).toMatchObject({ pluginId: 'p', cause: { name: 'CodecError' } });
    expect(dispatcher.meter).toMatchObject({ started: 1, succeeded: 0, failed: 1 });
    expect((await begin('next')).visit.value).toBe('next');
  });

  it('as a chunk ends the call once, and the actor is told to leave it', async () => {
    const { dispatcher, actor, begin } = runningPlugin();
    const { receiver, visit } = await begin('q', { timeoutMs: 50 });
    actor.garble(visit, KIND.chunk);
    await turns();
    expect(receiver.heard).toEqual(['PAYLOAD_INVALID']);
    expect(accountOf(dispatcher)).toEqual({ in: 1, out: 1 });
    expect(dispatcher.inFlight).toBe(0);
    expect(actor.signals).toMatchObject([{ kind: KIND.cancel, number: visit.number }]);
    actor.reply(visit, KIND.end);
    await turns();
    vi.advanceTimersByTime(10_000);
    expect([receiver.settled, vi.getTimerCount()]).toEqual([1, 0]);
  });
});

describe('a call with moved buffers', () => {
  it('leaves only when it can begin at once', async () => {
    const { actor, ask } = runningPlugin({ concurrency: 1 });
    ask('first');
    ask('second', { transfer: [new ArrayBuffer(8)] });
    await turns();
    expect(actor.inbox.map(({ value }) => value)).toEqual(['first']);
    actor.finish();
    await turns();
    expect(actor.inbox.map(({ value }) => value)).toEqual(['second']);
  });

  it('cannot be sent twice: it ends with the life it went to', async () => {
    const { actor, ask, crash } = runningPlugin();
    const receiver = ask('q', { transfer: [new ArrayBuffer(8)] });
    await turns();
    expect(actor.inbox).toHaveLength(1);
    const next = crash();
    await turns();
    expect([receiver.heard, next.inbox]).toEqual([['PLUGIN_CRASHED'], []]);
  });

  it('that were moved by another meanwhile is refused, not sent with nothing in them', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    dispatcher.setFlowing(false);
    const buffer = new ArrayBuffer(8);
    const receiver = ask({ buffer }, { transfer: [buffer] });
    structuredClone(buffer, { transfer: [buffer] });
    dispatcher.setFlowing(true);
    await turns();
    expect([receiver.heard, actor.inbox]).toEqual([['PAYLOAD_INVALID'], []]);
    expect(accountOf(dispatcher)).toEqual({ in: 1, out: 1 });
  });

  it('that cannot be moved is refused, and leaves nothing behind', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    vi.spyOn(actor.transport, 'send').mockImplementationOnce(() => {
      throw new Error('it was moved before');
    });
    const receiver = ask('q', { transfer: [new ArrayBuffer(8)] });
    expect(receiver.heard).toEqual(['PAYLOAD_INVALID']);
    expect(accountOf(dispatcher)).toEqual({ in: 1, out: 1 });
    expect([dispatcher.inFlight, actor.target.link.openCalls]).toEqual([0, 0]);
  });

  it('that cannot be moved, when its turn comes, disturbs nobody else', async () => {
    const { dispatcher, actor, ask } = runningPlugin();
    dispatcher.setFlowing(false);
    const receiver = ask('q', { transfer: [new ArrayBuffer(8)] });
    const after = ask('after');
    vi.spyOn(actor.transport, 'send').mockImplementationOnce(() => {
      throw new Error('it was moved before');
    });
    dispatcher.setFlowing(true);
    await turns();
    actor.finish();
    await turns();
    expect([receiver.heard, after.heard]).toEqual([['PAYLOAD_INVALID'], ['result after']]);
  });
});
