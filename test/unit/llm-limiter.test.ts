import { describe, expect, it } from 'vitest';

import { Limiter, type Clock, type LimiterOptions } from '../../plugins/llm/limiter.ts';
import { turns } from '../support/turns.ts';

/** Time goes on when a test says so; who sleeps is woken then. */
class FakeClock implements Clock {
  #now = 0;
  readonly #sleepers = new Set<{ at: number; wake: () => void }>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason as Error);
      });
    });
  }

  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.at > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await turns();
  }
}

function limiterWith(options: Partial<LimiterOptions>) {
  const clock = new FakeClock();
  const limiter = new Limiter({ waitMsMax: 60_000, ...options }, clock);
  const entered: string[] = [];
  const enter = (
    name: string,
    { tokens = 0, deadline = undefined as number | undefined, isRetry = false } = {},
  ) => {
    const left = new AbortController();
    const permit = limiter
      .enter({ tokens, signal: left.signal, deadline, isRetry })
      .then((given) => {
        entered.push(name);
        return given;
      });
    permit.catch(() => undefined);
    return { permit, abort: () => left.abort(new Error('gone')) };
  };
  return { clock, limiter, entered, enter };
}

describe('a limiter', () => {
  it('lets everybody through without limits', async () => {
    const { limiter, enter, entered } = limiterWith({});
    for (const name of ['a', 'b', 'c']) enter(name);
    await turns();
    expect([entered, limiter.inFlight, limiter.waiting]).toEqual([['a', 'b', 'c'], 3, 0]);
  });

  it('lets only so many through at once, the first first; a permit is given back once', async () => {
    const { limiter, enter, entered } = limiterWith({ requestsAtOnce: 2 });
    const [first] = ['a', 'b', 'c', 'd'].map((name) => enter(name));
    await turns();
    expect([entered, limiter.waiting]).toEqual([['a', 'b'], 2]);
    const permit = await first?.permit;
    permit?.giveBack(0);
    permit?.giveBack(0);
    await turns();
    expect([entered, limiter.inFlight, limiter.waiting]).toEqual([['a', 'b', 'c'], 2, 1]);
  });

  it('forgets who stops waiting', async () => {
    const { limiter, enter, entered } = limiterWith({ requestsAtOnce: 1 });
    const a = enter('a');
    const b = enter('b');
    enter('c');
    await turns();
    b.abort();
    await expect(b.permit).rejects.toThrow('gone');
    (await a.permit).giveBack(0);
    await turns();
    expect([entered, limiter.inFlight, limiter.waiting]).toEqual([['a', 'c'], 1, 0]);
  });

  it('lets so many a minute through, and waits for the next', async () => {
    const { clock, enter, entered } = limiterWith({ requestsPerMinute: 2 });
    for (const name of ['a', 'b', 'c']) enter(name);
    await turns();
    expect(entered).toEqual(['a', 'b']);
    await clock.pass(29_999);
    expect(entered).toEqual(['a', 'b']);
    await clock.pass(1);
    expect(entered).toEqual(['a', 'b', 'c']);
  });

  it('gives the turn of who stops waiting to the next', async () => {
    const { clock, enter, entered } = limiterWith({ requestsPerMinute: 1 });
    enter('a');
    await turns();
    const b = enter('b');
    await turns();
    b.abort();
    await expect(b.permit).rejects.toThrow('gone');
    enter('c');
    await clock.pass(60_000);
    expect(entered).toEqual(['a', 'c']);
  });

  it('counts the tokens that were used in the end', async () => {
    const { clock, enter, entered } = limiterWith({ tokensPerMinute: 600 });
    const a = enter('a', { tokens: 600 });
    await turns();
    (await a.permit).giveBack(100);
    enter('b', { tokens: 500 });
    enter('c', { tokens: 10 });
    await turns();
    expect(entered).toEqual(['a', 'b']);
    await clock.pass(1_000);
    expect(entered).toEqual(['a', 'b', 'c']);
  });

  it('refuses at once who would wait too long, or longer than the call has time', async () => {
    const { enter, limiter } = limiterWith({ requestsPerMinute: 1, waitMsMax: 90_000 });
    enter('a');
    await turns();
    await expect(enter('b', { deadline: 59_999 }).permit).rejects.toMatchObject({
      code: 'LLM_RATE_LIMITED',
    });
    enter('c');
    await expect(enter('d').permit).rejects.toMatchObject({ code: 'LLM_RATE_LIMITED' });
    expect([limiter.inFlight, limiter.waiting]).toEqual([2, 1]);
  });

  it('lets who tries again wait as long as the server asks for, and refuses who is new', async () => {
    const { clock, limiter, enter, entered } = limiterWith({ waitMsMax: 0 });
    limiter.hold(5_000);
    enter('again', { isRetry: true });
    await expect(enter('new').permit).rejects.toMatchObject({
      code: 'LLM_RATE_LIMITED',
      message: expect.stringMatching(
        /5000 ms .*the server asked for.*rateLimitWaitMsMax/,
      ) as string,
    });
    await expect(enter('late', { isRetry: true, deadline: 4_999 }).permit).rejects.toThrow(
      'the call has less time left',
    );
    await clock.pass(5_000);
    expect(entered).toEqual(['again']);
  });

  it('refuses who tries again and would wait too long for its own limits', async () => {
    const { enter } = limiterWith({ requestsPerMinute: 1, waitMsMax: 0 });
    enter('a');
    await turns();
    await expect(enter('b', { isRetry: true }).permit).rejects.toThrow('requestsPerMinute');
  });

  it('holds everybody back as long as the server asks for, also those who wait already', async () => {
    const { clock, limiter, enter, entered } = limiterWith({ requestsPerMinute: 1 });
    enter('a');
    enter('b');
    await turns();
    await clock.pass(59_000);
    limiter.hold(5_000);
    await clock.pass(1_000);
    expect(entered).toEqual(['a']);
    await clock.pass(4_000);
    expect(entered).toEqual(['a', 'b']);
  });
});
