/** A pool without threads: who gets which call, and what becomes of calls when a thread is lost. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { LEASE_LINGER_MS } from '../../src/protocol/limits.ts';
import { pooled } from '../support/fake-pool.ts';
import { turns } from '../support/turns.ts';

const ELASTIC = { min: 1, max: 3, idleMs: 1_000 };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a pool', () => {
  it('is loaded when its first threads are', async () => {
    const { supervisor, crew, lives } = pooled({ ...ELASTIC, min: 2 });
    const loaded = supervisor.perform('load');
    await turns();
    crew().join(1);
    await turns();
    expect(supervisor.state).toBe('loading');
    crew().join(2);
    await loaded;
    expect(lives.map(({ asked }) => asked)).toEqual([
      ['open', 'load'],
      ['open', 'load'],
    ]);
  });

  it('wants as many leases as there are calls, and no more than it has threads', async () => {
    const { up, call, crew } = pooled(ELASTIC);
    await up();
    expect(crew().wanted).toHaveLength(0);
    for (let calls = 1; calls <= 5; calls++) {
      call(calls);
      expect(crew().wanted).toHaveLength(Math.min(calls, 3));
    }
  });

  it('sends a call to a thread that has its lease, and the next when that is answered', async () => {
    const { up, call, crew, begun, finish } = pooled(ELASTIC);
    await up();
    const [first, second] = [call('a'), call('b')];
    crew().grant(1);
    await turns();
    expect(begun(1)).toEqual(['a']);
    await finish(1);
    expect(first.heard).toEqual(['result a']);
    expect(begun(1)).toEqual(['a', 'b']);
    await finish(1);
    expect(second.heard).toEqual(['result b']);
  });

  it('gives no call to a thread that still starts, though it has a lease', async () => {
    const { up, call, crew, begun, finish, script } = pooled(ELASTIC);
    await up();
    call('a');
    call('b');
    crew().grant(1);
    await turns();
    script.answers = { open: 'hangs' };
    crew().join(2);
    expect(crew().grant(2)).toBe(2);
    await turns();
    expect([begun(1), begun(2)]).toEqual([['a'], []]);
    await finish(1);
    expect([begun(1), begun(2)]).toEqual([['a', 'b'], []]);
  });

  it('prefers a thread that serves to one that still starts', async () => {
    const { up, call, crew } = pooled(ELASTIC);
    await up();
    crew().join(2);
    call('a');
    expect(crew().grant(3, 2, 1)).toBe(1);
  });

  it('brings a later thread to where it is before that serves', async () => {
    const { up, call, crew, lives, begun } = pooled(ELASTIC);
    await up();
    call('a');
    crew().join(2);
    crew().grant(2);
    await turns();
    expect(lives[1]?.asked).toEqual(['open', 'load', 'init', 'start']);
    expect(begun(2)).toEqual(['a']);
  });

  it('lets go of a lease when nothing was called for a moment', async () => {
    const { up, call, crew, finish } = pooled(ELASTIC);
    await up();
    call('a');
    crew().grant(1);
    await turns();
    await finish(1);
    await vi.advanceTimersByTimeAsync(LEASE_LINGER_MS - 1);
    expect(crew().leased).toEqual([1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(crew().leased).toEqual([]);
  });

  it('pauses and resumes all threads, and none begins a call meanwhile', async () => {
    const { supervisor, up, call, crew, lives, begun } = pooled({ ...ELASTIC, min: 2 });
    await up();
    await supervisor.perform('pause');
    call('a');
    expect(crew().wanted).toHaveLength(0);
    await supervisor.perform('resume');
    crew().grant(1, 2);
    await turns();
    expect(lives.map(({ asked }) => asked.slice(-2))).toEqual([
      ['pause', 'resume'],
      ['pause', 'resume'],
    ]);
    expect(begun(1)).toEqual(['a']);
  });
});

describe('a thread of a pool', () => {
  it('that dies takes its begun call along; one that had not begun goes to another', async () => {
    const { supervisor, up, call, crew, begun, told, finish, die } = pooled({ ...ELASTIC, min: 3 });
    await up();
    const [a, b, c] = ['a', 'b', 'c'].map((value) => call(value));
    for (const id of [1, 2, 3]) expect(crew().grant(id)).toBe(id);
    await turns();
    expect([begun(1), begun(2)]).toEqual([['a'], ['b']]);
    await die(1);
    await die(3);
    expect(a?.heard).toEqual(['PLUGIN_CRASHED']);
    expect([b?.heard, c?.heard]).toEqual([[], []]);
    expect(supervisor.dispatcher.queued).toBe(1);
    await finish(2);
    expect(begun(2)).toEqual(['b', 'c']);
    await finish(2);
    expect([b?.heard, c?.heard]).toEqual([['result b'], ['result c']]);
    expect(told.filter((event) => event.startsWith('crashed'))).toHaveLength(2);
    expect([supervisor.state, supervisor.generation]).toEqual(['running', 1]);
  });

  it('that is let go for being idle is no crash', async () => {
    const { up, crew, told, supervisor } = pooled({ ...ELASTIC, min: 2 });
    await up();
    crew().dismiss(2);
    await turns();
    expect(told.filter((event) => event !== 'state-changed')).toEqual([]);
    expect(supervisor.state).toBe('running');
  });

  it('that hangs is ended alone', async () => {
    const { up, call, crew, begun, lives, supervisor } = pooled({ ...ELASTIC, min: 2 });
    await up();
    const deaf = call('deaf', { timeoutMs: 10 });
    call('other');
    crew().grant(1);
    crew().grant(2);
    await turns();
    expect([begun(1), begun(2)]).toEqual([['deaf'], ['other']]);
    await vi.advanceTimersByTimeAsync(10 + supervisor.plan.limits.graceMs);
    expect(deaf.heard).toEqual(['CALL_TIMEOUT']);
    expect(lives.map(({ ended }) => ended)).toEqual(['hang', undefined]);
    expect(supervisor.state).toBe('running');
  });

  it.each(['before it joined', 'while it starts'])('that dies %s ends the pool', async (when) => {
    const { up, crew, crews, script, lives, told } = pooled(ELASTIC);
    await up();
    script.answers = { open: 'hangs' };
    if (when === 'before it joined') crew().stillborn();
    else {
      crew().join(2);
      lives[1]?.die('exit');
    }
    await turns();
    expect(lives[0]?.isDead).toBe(true);
    expect(crews.map(({ isEnded }) => isEnded)).toEqual([true, false]);
    expect(told).toContain('crashed: exit');
    expect(told).toContain('restarting');
  });

  it('that is never ready ends the pool in time', async () => {
    const { up, crew, script, told, supervisor } = pooled(ELASTIC);
    await up();
    const { startTimeoutMs, hookTimeoutMs } = supervisor.plan.limits;
    script.answers = { open: 'hangs' };
    crew().join(2);
    await vi.advanceTimersByTimeAsync(startTimeoutMs + 3 * hookTimeoutMs);
    expect(told).toContain('crashed: start-timeout');
  });
});
