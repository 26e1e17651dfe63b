import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { affinityOf } from '../../src/protocol/affinity.ts';
import { PluginError } from '../../src/protocol/errors.ts';
import { KIND } from '../../src/protocol/frame.ts';
import { SPREAD_MS } from '../../src/protocol/limits.ts';
import { replicated } from '../support/fake-life.ts';
import { requestOf } from '../support/recorder.ts';
import { turns } from '../support/turns.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a replica set', () => {
  it('goes up and down as one plugin: each change is told once, and those of its replicas beside it', async () => {
    const stage = replicated({ min: 2 });
    const { set, told, up, events } = stage;
    await up();
    await set.perform('pause');
    await set.perform('resume');
    await set.perform('stop');
    await set.perform('start');
    await set.perform('unload');
    expect(stage.toldOfAll()).toEqual([
      'unloaded → loading',
      'loading → loaded',
      'loaded → initialized',
      'initialized → running',
      'running → paused',
      'paused → running',
      'running → initialized',
      'initialized → running',
      'running → unloaded',
    ]);
    for (const replica of ['0', '1']) {
      const its = told().filter((line) => line.startsWith(`${replica}: `));
      expect(its.map((line) => line.slice(3))).toEqual(stage.toldOfAll());
    }
    // no two lives have the same number
    const begun = events.filter(
      ({ event }) => event.type === 'replica-changed' && event.to === 'loading',
    );
    expect(begun.map(({ generation }) => generation)).toEqual([1, 2]);
    expect(set.generation).toBe(2);
  });

  it('takes no call before all of it can', async () => {
    const stage = replicated({ min: 2 });
    const { set, script, lives } = stage;
    await set.perform('load');
    await set.perform('init');
    script.answers.start = 'hangs';
    const started = set.perform('start').catch((error: unknown) => String(error));
    await turns();
    expect([set.state, stage.ask(1).error?.code]).toEqual(['initialized', 'NOT_RUNNING']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await started).toContain('replica 0: ');
    expect(lives.map(({ ended }) => ended)).toEqual(['asked', 'asked']);
    expect(set.state).toBe('failed');
  });

  it('gives calls that come one by one to the same replica, whose thread is awake', async () => {
    const stage = replicated({ min: 3 });
    await stage.up();
    for (const value of [1, 2, 3]) {
      stage.ask(value);
      await turns();
      expect([0, 1, 2].map((replica) => stage.lifeOf(replica).waiting)).toEqual([[value], [], []]);
      stage.answerAll();
      await turns();
    }
  });

  it('gives calls to the least loaded, and one that gives way takes its turn', async () => {
    const stage = replicated({ min: 3 });
    await stage.up();
    const { ask } = stage;
    for (const value of [1, 2, 3, 4, 5]) ask(value);
    await turns();
    const at = [0, 1, 2].map((replica) => stage.lifeOf(replica).waiting.length);
    expect(at.toSorted(byNumber)).toEqual([1, 2, 2]);
    stage.answerAll();
    await turns();
    expect((await stage.set.stats()).calls).toMatchObject({
      started: 5,
      succeeded: 5,
      inFlight: 0,
    });
  });

  it('gives calls with one key to one replica, and they wait there while it restarts', async () => {
    const stage = replicated({ min: 4 }, { restart: { backoff: BACKOFF } });
    const { set, lives, lifeOf } = stage;
    await stage.up();
    const { ask } = stage;
    const affinity = affinityOf('user-1');
    for (const value of [1, 2, 3]) ask(value, { affinity });
    await turns();
    const home = lives.find((life) => life.waiting.length > 0);
    expect(home && home.waiting).toEqual([1, 2, 3]);
    const { replica } = home ?? lifeOf(0);

    // twice: the first restart is at once
    home?.die('exit');
    await turns();
    lifeOf(replica).die('exit');
    await turns();
    const late = ask(4, { affinity });
    expect([set.state, lives.filter(({ isDead }) => !isDead).length]).toEqual(['running', 3]);
    expect(lives.flatMap((life) => (life.replica === replica ? [] : life.waiting))).toEqual([]);
    await vi.advanceTimersByTimeAsync(BACKOFF.minMs);
    expect(lifeOf(replica).waiting).toEqual([1, 2, 3, 4]);
    stage.answerAll();
    await turns();
    expect(late.heard).toEqual(['result 4']);
  });

  it('lets the others go on when one crashes: what had not begun goes to them at once', async () => {
    const stage = replicated({ min: 2 }, { restart: { intensity: 0 } });
    const { set, told, lifeOf } = stage;
    await stage.up();
    const { ask } = stage;
    const asked = [1, 2, 3, 4].map((value) => ask(value));
    await turns();
    const [dying, other] = [lifeOf(0), lifeOf(1)];
    const begun = dying.actor.begin();
    dying.die('exit');
    await turns();
    // it gave up, the set did not
    expect([
      set.state,
      told()
        .filter((line) => line.startsWith('0: '))
        .slice(-3),
    ]).toEqual(['running', ['0: crashed', '0: running → failed', '0: gave-up']]);
    expect(other.waiting).toHaveLength(3);
    stage.answerAll();
    await turns();
    const heard = asked.map((receiver) => receiver.heard.join());
    const expected = [1, 2, 3, 4].map((value) =>
      value === begun?.value ? 'PLUGIN_CRASHED' : `result ${value}`,
    );
    expect(heard).toEqual(expected);
    const { calls, restarts, replicas } = await set.stats();
    expect(calls).toMatchObject({ started: 4, succeeded: 3, crashed: 1, inFlight: 0, queued: 0 });
    expect([restarts, replicas?.map(({ state }) => state)]).toEqual([0, ['failed', 'running']]);

    await set.perform('restart');
    expect((await set.stats()).replicas?.map(({ state }) => state)).toEqual(['running', 'running']);
  });

  it('has failed when all have, and says so once', async () => {
    const stage = replicated({ min: 2 }, { restart: { intensity: 0 } });
    const { set, lifeOf } = stage;
    await stage.up();
    const waits = stage.ask(1);
    lifeOf(0).die('exit');
    await turns();
    lifeOf(1).die('exit');
    await turns();
    expect(stage.toldOfAll().slice(-1)).toEqual(['running → failed']);
    expect([waits.settled, waits.error?.code]).toEqual([1, 'PLUGIN_CRASHED']);
    expect(stage.ask(2).error?.message).toBe('p is failed; restart it before calling it');
    await expect(set.perform('start')).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: expect.stringContaining('cannot start p: it is failed') as string,
    });
    await set.perform('restart');
    expect(set.state).toBe('running');
  });

  it('is restarting while none runs and one is on its way; calls wait', async () => {
    const stage = replicated({ min: 2 }, { restart: { backoff: BACKOFF } });
    const { set, lifeOf } = stage;
    await stage.up();
    for (const replica of [0, 1, 0, 1]) {
      lifeOf(replica).die('exit');
      await turns();
    }
    expect(set.state).toBe('restarting');
    const waits = stage.ask(1);
    await vi.advanceTimersByTimeAsync(BACKOFF.minMs);
    expect(set.state).toBe('running');
    stage.answerAll();
    await turns();
    expect(waits.heard).toEqual(['result 1']);
  });

  it('names the replica in the error of a verb, and the others get where it leads', async () => {
    const stage = replicated({ min: 3 });
    const { set, script, lifeOf } = stage;
    await set.perform('load');
    await set.perform('init');
    lifeOf(1).control.hook = () =>
      Promise.resolve({ ok: false, error: { name: 'E', message: 'no' } });
    const error = await set.perform('start').catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'START_FAILED',
      message: expect.stringMatching(/^p, replica 1: .*no/) as string,
      data: { replica: 1, replicas: [1] },
    });
    expect(set.state).toBe('running');
    expect(script.answers).toEqual({});
    // the failed one is left alone, until it is restarted
    await set.perform('pause');
    await set.perform('resume');
    expect((await set.stats()).replicas?.map(({ state }) => state)).toEqual([
      'running',
      'failed',
      'running',
    ]);
    await set.perform('stop');
    await set.perform('unload');
    await stage.up();
    expect((await set.stats()).replicas?.map(({ state }) => state)).toEqual([
      'running',
      'running',
      'running',
    ]);
  });

  it('lets a stop take the place of a verb that waits for a restart, and ends that one alone', async () => {
    const stage = replicated({ min: 2 }, { restart: { backoff: BACKOFF } });
    const { set, lifeOf, script } = stage;
    await stage.up();
    for (const [replica] of [[0], [0]] as const) {
      lifeOf(replica).die('exit');
      await turns();
    }
    const paused = codeOf(set.perform('pause'));
    await turns();
    script.answers.shutdown = 'hangs';
    const stop = codeOf(set.perform('stop'));
    expect(await paused).toBe('PLUGIN_STOPPED');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await stop).toBe('STOP_TIMEOUT');
    expect(set.state).toBe('unloaded');
  });

  it('brings one up again with the others that was stopped while it restarted', async () => {
    const stage = replicated({ min: 2 }, { restart: { backoff: BACKOFF } });
    const { set, lifeOf } = stage;
    await stage.up();
    lifeOf(0).die('exit');
    await turns();
    lifeOf(0).die('exit');
    await turns();
    await set.perform('stop');
    expect((await set.stats()).replicas?.map(({ state }) => state)).toEqual([
      'unloaded',
      'initialized',
    ]);
    expect(set.state).toBe('initialized');
    await set.perform('start');
    expect((await set.stats()).replicas?.map(({ state }) => state)).toEqual(['running', 'running']);
  });

  it('moves calls that wait for a busy replica to one that is free, also those at the actor', async () => {
    const stage = replicated({ min: 2 });
    const { lifeOf, set } = stage;
    await stage.up();
    const { ask } = stage;
    const asked = [1, 2, 3, 4, 5, 6].map((value) => ask(value));
    await turns();
    const [slow, quick] = [lifeOf(0), lifeOf(1)];
    const long = slow.actor.begin();
    quick.actor.finish();
    await turns();
    await vi.advanceTimersByTimeAsync(SPREAD_MS);
    // one of the two that waited is free now, and so on
    quick.actor.finish();
    await turns();
    await vi.advanceTimersByTimeAsync(SPREAD_MS);
    quick.actor.finish();
    await turns();
    expect(asked.filter(({ settled }) => settled === 1)).toHaveLength(5);
    if (long) slow.actor.reply(long, KIND.result, long.value);
    // those that were taken back are skipped there
    slow.actor.finish();
    await turns();
    expect(asked.map(({ heard }) => heard)).toEqual(
      [1, 2, 3, 4, 5, 6].map((value) => [`result ${value}`]),
    );
    expect([...slow.actor.begun, ...quick.actor.begun].toSorted(byNumber)).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
    expect((await set.stats()).calls).toMatchObject({
      started: 6,
      succeeded: 6,
      inFlight: 0,
      queued: 0,
    });
  });

  it('leaves calls with a key where they are, and those behind them do not wait for that', async () => {
    const stage = replicated({ min: 3 });
    await stage.up();
    const { ask } = stage;
    const affinity = affinityOf('hot');
    const keyed = [1, 2, 3, 4, 5, 6].map((value) => ask(value, { affinity }));
    await turns();
    const hot = stage.lives.find((life) => life.waiting.length > 0);
    const others = stage.lives.filter((life) => life !== hot);
    const free = [7, 8, 9, 10].map((value) => ask(value));
    await turns();
    expect(others.map((life) => life.waiting.length)).toEqual([2, 2]);
    others[0]?.actor.finish();
    others[1]?.actor.begin();
    await vi.advanceTimersByTimeAsync(SPREAD_MS);
    others[0]?.actor.finish();
    await turns();
    expect(free.filter(({ settled }) => settled === 1)).toHaveLength(3);
    expect(hot && hot.waiting).toEqual([1, 2, 3, 4, 5, 6]);
    stage.answerAll();
    await turns();
    expect(keyed.map(({ settled }) => settled)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('refuses a call that would come back to its own chain only where no other replica is there', async () => {
    const stage = replicated({ min: 2 });
    await stage.up();
    const first = requestOf(1);
    const parent = stage.set.accept(first);
    await turns();
    const inner = requestOf(2, { parent });
    const child = stage.set.accept(inner);
    expect(child?.owner).not.toBe(parent?.owner);
    const third = stage.ask(3, { parent: child });
    expect(third.error).toMatchObject({ code: 'CALL_CYCLE', data: { chain: ['p', 'p'] } });
  });
});

const byNumber = (a: unknown, b: unknown): number => Number(a) - Number(b);

async function codeOf(promise: Promise<void>): Promise<string> {
  return promise.then(
    () => 'ok',
    (error: unknown) => (error instanceof PluginError ? error.code : String(error)),
  );
}

const BACKOFF = { minMs: 5_000, maxMs: 5_000, factor: 1, jitter: 0 };
