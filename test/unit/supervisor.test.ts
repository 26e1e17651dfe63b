import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PluginError } from '../../src/protocol/errors.ts';
import { FLAG } from '../../src/protocol/frame.ts';
import { supervised } from '../support/fake-life.ts';
import { requestOf } from '../support/recorder.ts';
import { turns } from '../support/turns.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What became of a verb, without waiting for it. */
function watch(outcome: Promise<void>): { is: string } {
  const watched = { is: 'open' };
  outcome.then(
    () => {
      watched.is = 'done';
    },
    (error: unknown) => {
      watched.is = error instanceof PluginError ? error.code : String(error);
    },
  );
  return watched;
}

describe('a supervised plugin', () => {
  it('goes up and down step by step, and every state is told in order', async () => {
    const { supervisor, told, up, latest, letGo } = supervised();
    await up();
    await supervisor.perform('pause');
    await supervisor.perform('resume');
    await supervisor.perform('stop');
    await supervisor.perform('start');
    await supervisor.perform('unload');
    expect(told()).toEqual([
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
    expect(latest().asked).toEqual([
      'open',
      'load',
      'init',
      'start',
      'pause',
      'resume',
      'shutdown',
      'start',
      'shutdown',
    ]);
    expect([latest().ended, letGo]).toEqual(['asked', [latest()]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does one verb at a time, and callers of the same one share its outcome', async () => {
    const { supervisor, latest } = supervised();
    const outcomes = await Promise.allSettled([
      supervisor.perform('load'),
      supervisor.perform('load'),
      supervisor.perform('init'),
      supervisor.perform('start'),
      supervisor.perform('start'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'fulfilled'));
    expect(latest().asked).toEqual(['open', 'load', 'init', 'start']);
  });

  it('that cannot be found is failed, and makes no life', async () => {
    const { supervisor, script, lives } = supervised();
    script.prepare = new Error('no such file');
    await expect(supervisor.perform('load')).rejects.toMatchObject({ code: 'LOAD_FAILED' });
    expect([supervisor.state, lives]).toEqual(['failed', []]);
  });

  it('whose hook fails is failed, and its life is let go', async () => {
    const { supervisor, script, latest, letGo } = supervised();
    await supervisor.perform('load');
    script.answers.init = new Error('no database');
    await expect(supervisor.perform('init')).rejects.toMatchObject({
      code: 'INIT_FAILED',
      pluginId: 'p',
      cause: { message: 'no database' },
    });
    expect([supervisor.state, latest().ended, letGo]).toEqual(['failed', 'asked', [latest()]]);
  });

  it('whose hook hangs is failed in time', async () => {
    const { supervisor, script } = supervised({ limits: { startTimeoutMs: 100 } });
    script.answers.open = 'hangs';
    const loading = watch(supervisor.perform('load'));
    await vi.advanceTimersByTimeAsync(100);
    expect([loading.is, supervisor.state]).toEqual(['START_TIMEOUT', 'failed']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that dies in a hook is failed at once, and leaves no timer behind', async () => {
    const { supervisor, script, latest } = supervised();
    script.answers.load = 'hangs';
    const loading = watch(supervisor.perform('load'));
    await turns();
    latest().die('exit');
    await turns();
    expect([loading.is, supervisor.state]).toEqual(['LOAD_FAILED', 'failed']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that does not stop is ended in time, and its verb says so', async () => {
    const { supervisor, script, latest, up } = supervised({ limits: { stopTimeoutMs: 100 } });
    await up();
    script.answers.shutdown = 'hangs';
    const unloading = watch(supervisor.perform('unload'));
    await vi.advanceTimersByTimeAsync(100);
    expect([unloading.is, supervisor.state, latest().ended]).toEqual([
      'STOP_TIMEOUT',
      'unloaded',
      'asked',
    ]);
  });
});

describe('a plugin that crashed', () => {
  it('comes back as it was, in a new life, and its waiting calls with it', async () => {
    const { supervisor, told, up, latest, lives, letGo } = supervised();
    await up();
    const first = latest();
    const request = requestOf('q');
    supervisor.accept(request);
    await turns();
    first.die('uncaught', 'boom');
    await turns();
    expect(told().slice(4)).toEqual([
      'crashed',
      'running → restarting',
      'restarting',
      'restarting → running',
      'restarted',
    ]);
    expect(letGo).toEqual([first]);
    expect(lives.map(({ generation }) => generation)).toEqual([1, 2]);
    latest().actor.finish();
    await turns();
    expect(request.receiver.heard).toEqual(['result q']);
  });

  it('while it was paused comes back paused', async () => {
    const { supervisor, up, latest } = supervised();
    await up();
    await supervisor.perform('pause');
    latest().die('exit');
    await turns(60);
    expect([supervisor.state, latest().asked]).toEqual([
      'paused',
      ['open', 'load', 'init', 'start', 'pause'],
    ]);
  });

  it('too often is given up, and what waits is refused', async () => {
    const { supervisor, told, up, latest } = supervised({ restart: { intensity: 1 } });
    await up();
    latest().die('exit');
    await turns();
    const request = requestOf('q');
    latest().board.hold({ park: false });
    supervisor.accept(request);
    latest().die('exit');
    await turns();
    expect([supervisor.state, request.receiver.heard]).toEqual(['failed', ['PLUGIN_CRASHED']]);
    expect(told().slice(-3)).toEqual(['crashed', 'running → failed', 'gave-up']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is restarted by a failing restart once each, however late the failed life dies', async () => {
    const { supervisor, script, told, up, latest, lives, letGo } = supervised({
      restart: { intensity: 3 },
    });
    await up();
    script.answers.init = new Error('not yet');
    script.diesWhenEnded = false;
    latest().die('exit');
    await turns();
    // the second life failed in init; its thread is still there
    const second = latest();
    expect(second.ended).toBe('asked');
    delete script.answers.init;
    await vi.advanceTimersByTimeAsync(10_000);
    second.die('asked');
    await turns();
    expect(supervisor.state).toBe('running');
    expect(lives).toHaveLength(3);
    expect(letGo).toEqual(lives.slice(0, 2));
    expect(told().filter((what) => what === 'restarting')).toHaveLength(2);
  });

  it('waits out its backoff, unless it is restarted by hand', async () => {
    const { supervisor, up, latest, lives } = supervised({ restart: { intensity: 10 } });
    await up();
    for (let i = 0; i < 2; i++) {
      latest().die('exit');
      await turns();
    }
    expect([supervisor.state, lives.length]).toEqual(['restarting', 2]);
    await supervisor.perform('restart');
    expect([supervisor.state, lives.length, vi.getTimerCount()]).toEqual(['running', 3, 0]);
  });

  it('and is stopped during its backoff stays down, and refuses what waits', async () => {
    const { supervisor, up, latest, lives } = supervised({ restart: { intensity: 10 } });
    await up();
    for (let i = 0; i < 2; i++) {
      latest().die('exit');
      await turns();
    }
    const request = requestOf('q');
    supervisor.accept(request);
    await supervisor.perform('unload');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([supervisor.state, lives.length, vi.getTimerCount()]).toEqual(['unloaded', 2, 0]);
    expect(request.receiver.heard).toEqual(['PLUGIN_STOPPED']);
  });

  it('does not keep a stop waiting for its restart', async () => {
    const { supervisor, script, up, latest } = supervised();
    await up();
    script.answers.start = 'hangs';
    latest().die('exit');
    await turns();
    const [resuming, stopping] = [
      watch(supervisor.perform('resume')),
      watch(supervisor.perform('stop')),
    ];
    await turns();
    expect([resuming.is, stopping.is, supervisor.state]).toEqual([
      'PLUGIN_STOPPED',
      'done',
      'unloaded',
    ]);
    expect(latest().ended).toBe('asked');
  });
});

describe('a plugin that dies while it goes down', () => {
  it.each(['stop', 'unload'] as const)('by %s leaves no call behind', async (verb) => {
    const { supervisor, script, up, latest } = supervised();
    await up();
    const calls = [requestOf('once'), requestOf('again', { flags: FLAG.idempotent })];
    for (const call of calls) supervisor.accept(call);
    await turns();
    latest().actor.beginAll();
    // it waits for the calls that have begun
    script.answers.shutdown = 'hangs';
    const going = watch(supervisor.perform(verb));
    await turns();
    latest().die('exit');
    await turns();
    expect(going.is).not.toBe('open');
    expect(calls.map(({ receiver }) => receiver.heard)).toEqual([
      ['PLUGIN_CRASHED'],
      ['PLUGIN_CRASHED'],
    ]);
    expect([supervisor.dispatcher.queued, supervisor.dispatcher.inFlight]).toEqual([0, 0]);
  });
});

describe('a life that is over', () => {
  it('says nothing to the one after it, also when its thread ends late', async () => {
    const { supervisor, script, told, up, lives, letGo } = supervised();
    await up();
    script.answers.shutdown = 'hangs';
    script.diesWhenEnded = false;
    const stopping = watch(supervisor.perform('stop'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect([stopping.is, supervisor.state]).toEqual(['STOP_TIMEOUT', 'unloaded']);
    await up();
    const before = told();
    lives[0]?.die('uncaught');
    await turns();
    expect([supervisor.state, lives.length, letGo]).toEqual(['running', 2, [lives[0]]]);
    expect(told()).toEqual(before);
  });
});
