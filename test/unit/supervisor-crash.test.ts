import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FLAG } from '../../src/protocol/frame.ts';
import { supervised } from '../support/fake-life.ts';
import { requestOf } from '../support/recorder.ts';
import { turns } from '../support/turns.ts';
import { watch } from '../support/watch.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
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
    expect(told().slice(-4)).toEqual(['crashed', 'running → failed', 'gave-up', 'dead-letter']);
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

  it('and is resumed while it comes back paused is restarting until it runs', async () => {
    const { supervisor, script, told, up, latest } = supervised();
    await up();
    await supervisor.perform('pause');
    let resumed: Promise<void> | undefined;
    script.whenAsked = (question) => {
      if (question === 'pause') resumed = supervisor.perform('resume');
    };
    latest().die('exit');
    await turns();
    await resumed;
    expect(latest().asked).toEqual(['open', 'load', 'init', 'start', 'pause', 'resume']);
    expect(told().slice(-4)).toEqual([
      'paused → restarting',
      'restarting',
      'restarting → running',
      'restarted',
    ]);
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
