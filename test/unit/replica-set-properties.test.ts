import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FLAG, KIND } from '../../src/protocol/frame.ts';
import { VERBS } from '../../src/supervisor/machine.ts';
import { replicated, type FakeLife, type Question } from '../support/fake-life.ts';
import { requestOf, type Recorder } from '../support/recorder.ts';
import { turns } from '../support/turns.ts';

const QUESTIONS: Question[] = ['open', 'load', 'init', 'start', 'pause', 'resume', 'shutdown'];
const STATES = ['unloaded', 'running', 'paused', 'restarting', 'failed'];
const DEATHS = ['exit', 'uncaught', 'normal', 'hang'] as const;

const acts = {
  verb: { weight: 4, choice: fc.constantFrom(...VERBS) },
  call: { weight: 8, choice: fc.nat(30) },
  work: { weight: 5, choice: fc.nat(30) },
  abort: { weight: 1, choice: fc.nat(100) },
  die: { weight: 3, choice: fc.tuple(fc.nat(10), fc.constantFrom(...DEATHS)) },
  wait: { weight: 3, choice: fc.constantFrom(1, 12, 60, 300, 600, 12_000) },
  hang: { weight: 1, choice: fc.constantFrom(...QUESTIONS) },
  fail: { weight: 1, choice: fc.constantFrom(...QUESTIONS) },
  heal: { weight: 2, choice: fc.constant(true) },
  linger: { weight: 1, choice: fc.boolean() },
};
const act = fc.oneof(
  ...Object.entries(acts).map(([name, { weight, choice }]) => ({
    weight,
    arbitrary: fc.tuple(fc.constant(name as keyof typeof acts), choice as fc.Arbitrary<unknown>),
  })),
);

/** A set that may grow and shrink, its users and its lives. */
class Play {
  readonly stage = replicated(
    { min: 2, max: 4, growAfterMs: 500, shrinkAfterMs: 2_000 },
    { mailbox: { capacity: 12 } },
  );
  readonly #verbs: Promise<unknown>[] = [];
  readonly calls: { receiver: Recorder; abort: AbortController; idempotent: boolean }[] = [];
  readonly seen = new Set<string>();

  async act([name, choice]: readonly [keyof typeof acts, unknown]): Promise<void> {
    await this[name](choice as never);
    await turns();
    this.seen.add(this.stage.set.state);
  }

  /** Everything answers again, threads die when they are ended, and it is unloaded. */
  async finish(): Promise<void> {
    const { script, lives, set } = this.stage;
    script.answers = {};
    script.diesWhenEnded = true;
    this.verb('unload');
    for (let i = 0; i < 6; i++) {
      await turns(60);
      for (const life of lives) if (life.ended) life.die('asked');
      await vi.advanceTimersByTimeAsync(60_000);
    }
    await Promise.all(this.#verbs);
    set.close();
  }

  verb(verb: (typeof VERBS)[number]): void {
    this.#verbs.push(this.stage.set.perform(verb).catch(() => undefined));
  }

  call(choice: number): void {
    const abort = new AbortController();
    const idempotent = choice % 3 === 0;
    const request = requestOf(this.calls.length, {
      flags: idempotent ? FLAG.idempotent : 0,
      affinity: choice % 2 === 0 ? choice : 0,
      timeoutMs: [0, 0, 100, 1_000][choice % 4] ?? 0,
      signal: abort.signal,
    });
    this.calls.push({ receiver: request.receiver, abort, idempotent });
    this.stage.set.accept(request);
  }

  abort(choice: number): void {
    this.calls[choice % (this.calls.length || 1)]?.abort.abort();
  }

  work(choice: number): void {
    const life = this.#alive(choice);
    if (!life) return;
    const { actor, board } = life;
    if (choice % 2 === 0) {
      const [visit] = actor.running;
      if (visit) actor.reply(visit, KIND.result, visit.value);
    }
    for (let i = 0; i < choice % 5 && board.mayBegin(); i++) actor.begin();
  }

  die([which, reason]: [number, (typeof DEATHS)[number]]): void {
    this.#alive(which)?.die(reason);
  }

  async wait(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
  }

  hang(question: Question): void {
    this.stage.script.answers[question] = 'hangs';
  }

  fail(question: Question): void {
    this.stage.script.answers[question] = new Error('no');
  }

  heal(): void {
    this.stage.script.answers = {};
  }

  linger(lingers: boolean): void {
    this.stage.script.diesWhenEnded = !lingers;
  }

  #alive(choice: number): FakeLife | undefined {
    const alive = this.stage.lives.filter(({ isDead }) => !isDead);
    return alive[choice % (alive.length || 1)];
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a replica set, through any history', () => {
  it('settles every verb and call once, begins none twice, and leaves nothing behind', async () => {
    const seen = new Set<string>();
    const sizes = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(act, { maxLength: 60, size: 'max' }),
        async (isUp, list) => {
          const play = new Play();
          const { set, lives, letGo, events, up } = play.stage;
          if (isUp) await up();
          for (const each of list) {
            await play.act(each);
            const { receiver } = play.calls.find((call) => call.receiver.settled > 1) ?? {};
            expect(receiver?.heard).toBeUndefined();
          }
          await play.finish();
          for (const state of play.seen) seen.add(state);

          expect(set.state).toBe('unloaded');
          expect(play.calls.map(({ receiver }) => receiver.settled)).toEqual(
            play.calls.map(() => 1),
          );
          const { calls } = await set.stats();
          const { succeeded, failed, timedOut, aborted, crashed } = calls;
          expect(succeeded + failed + timedOut + aborted + crashed).toBe(calls.started);
          expect([calls.inFlight, calls.queued]).toEqual([0, 0]);
          expect(new Set(letGo)).toEqual(new Set(lives));
          expect(letGo).toHaveLength(lives.length);
          expect(vi.getTimerCount()).toBe(0);
          const begun = lives.flatMap(({ actor }) => actor.begun as number[]);
          const once = begun.filter((value) => play.calls[value]?.idempotent === false);
          expect(once).toEqual([...new Set(once)]);
          // each state follows from the one before, of the set and of each replica
          const states = new Map<number | undefined, string>();
          for (const { event, replica } of events) {
            if (event.type === 'scaled') sizes.add(event.to);
            if (event.type !== 'state-changed' && event.type !== 'replica-changed') continue;
            expect(event.from).toBe(states.get(replica) ?? 'unloaded');
            expect(replica === undefined).toBe(event.type === 'state-changed');
            states.set(replica, event.to);
          }
          const generations = lives.map(({ generation }) => generation);
          expect(generations).toEqual([...new Set(generations)]);
        },
      ),
      { numRuns: 400 },
    );
    // the walks go everywhere
    expect([...seen]).toEqual(expect.arrayContaining(STATES));
    expect(sizes).toEqual(new Set([2, 3, 4]));
  });
});
