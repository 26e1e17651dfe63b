import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { supervised } from '../support/fake-life.ts';
import { turns } from '../support/turns.ts';
import { watch } from '../support/watch.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

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
