import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Locks } from '../../src/kernel/locks.ts';
import { turns } from '../support/turns.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Asks for a lock and keeps what came of it. */
function ask(locks: Locks, name: string, holder: object, timeoutMs?: number) {
  const asked: { token?: number; error?: unknown } = {};
  locks.acquire(name, holder, timeoutMs).then(
    (token) => {
      asked.token = token;
    },
    (error: unknown) => {
      asked.error = error;
    },
  );
  return asked;
}

describe('a lock', () => {
  it('is had by one at a time, first come first served', async () => {
    const locks = new Locks();
    const holders = [{}, {}, {}];
    const asked = holders.map((holder) => ask(locks, 'a', holder));
    for (const [i, holder] of holders.entries()) {
      await turns();
      expect(asked.map(({ token }) => token !== undefined)).toEqual(asked.map((_, at) => at <= i));
      locks.release(asked[i]?.token ?? -1, holder);
    }
  });

  it('of another name is another lock', async () => {
    const locks = new Locks();
    const asked = [ask(locks, 'a', {}), ask(locks, 'b', {}), ask(locks, '__proto__', {})];
    await turns();
    const tokens = asked.map(({ token }) => token);
    expect(new Set(tokens).size).toBe(3);
    expect(tokens).not.toContain(undefined);
  });

  it('is not for the same holder twice at once', async () => {
    const locks = new Locks();
    const holder = {};
    const [first, second] = [ask(locks, 'a', holder), ask(locks, 'a', holder)];
    await turns();
    expect([first.token === undefined, second.token]).toEqual([false, undefined]);
  });

  it('is released by its holder alone, and once', async () => {
    const locks = new Locks();
    const [owner, other] = [{}, {}];
    const first = ask(locks, 'a', owner);
    await turns();
    const [second, third] = [ask(locks, 'a', other), ask(locks, 'a', {})];
    locks.release(first.token ?? -1, other);
    locks.release(-1, owner);
    await turns();
    expect(second.token).toBeUndefined();
    locks.release(first.token ?? -1, owner);
    locks.release(first.token ?? -1, owner);
    await turns();
    expect(second.token).toBeDefined();
    expect(third.token).toBeUndefined();
  });
});

describe('a wait with a limit', () => {
  it('ends with CALL_TIMEOUT, and the lock passes it by', async () => {
    const locks = new Locks();
    const owner = {};
    const first = ask(locks, 'a', owner);
    await turns();
    const [late, patient] = [ask(locks, 'a', {}, 50), ask(locks, 'a', {}, 500)];
    await vi.advanceTimersByTimeAsync(50);
    expect(late.error).toMatchObject({
      name: 'PluginError',
      code: 'CALL_TIMEOUT',
      message: 'the lock a was not free within 50 ms',
      data: { lock: 'a', phase: 'queued', timeoutMs: 50 },
    });
    locks.release(first.token ?? -1, owner);
    await turns();
    expect([late.token, typeof patient.token]).toEqual([undefined, 'number']);
  });

  it('of nothing has a lock that is free', async () => {
    const asked = ask(new Locks(), 'a', {}, 0);
    await vi.advanceTimersByTimeAsync(10);
    expect(asked.error).toBeUndefined();
    expect(asked.token).toBeDefined();
  });

  it('leaves no timer behind', async () => {
    const locks = new Locks();
    const owner = {};
    const first = ask(locks, 'a', owner, 1_000);
    await turns();
    const second = ask(locks, 'a', {}, 1_000);
    locks.release(first.token ?? -1, owner);
    await turns();
    expect(second.token).toBeDefined();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a holder that dies', () => {
  it('leaves all its locks to those that wait', async () => {
    const locks = new Locks();
    const [dying, other] = [{}, {}];
    ask(locks, 'a', dying);
    ask(locks, 'b', dying);
    const kept = ask(locks, 'c', other);
    await turns();
    const waiting = ['a', 'b', 'c'].map((name) => ask(locks, name, {}));
    locks.releaseAll(dying);
    await turns();
    expect(waiting.map(({ token }) => token !== undefined)).toEqual([true, true, false]);
    expect(kept.token).toBeDefined();
  });

  it('while it waits gets nothing, and what it waits for goes on to the next', async () => {
    const locks = new Locks();
    const [owner, dying] = [{}, {}];
    const first = ask(locks, 'a', owner);
    await turns();
    const [dead, next] = [ask(locks, 'a', dying), ask(locks, 'a', {})];
    locks.releaseAll(dying);
    locks.release(first.token ?? -1, owner);
    await turns();
    expect(dead).toEqual({ error: expect.objectContaining({ code: 'PLUGIN_STOPPED' }) as unknown });
    expect(next.token).toBeDefined();
  });

  it('gets no lock any more', async () => {
    const locks = new Locks();
    const gone = {};
    locks.releaseAll(gone);
    const [late, other] = [ask(locks, 'a', gone), ask(locks, 'a', {})];
    await turns();
    expect(late.error).toMatchObject({ code: 'PLUGIN_STOPPED' });
    expect(other.token).toBeDefined();
  });
});
