import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FLAG, KIND } from '../../src/protocol/frame.ts';
import { VERBS } from '../../src/supervisor/machine.ts';
import { replicated, type FakeLife } from '../support/fake-life.ts';
import { actOf, DEATHS, Play, QUESTIONS, STATES } from '../support/play.ts';
import { fc } from '../support/properties.ts';
import { requestOf, type Recorder } from '../support/recorder.ts';

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
const act = actOf(acts);

/** Verbs that pile up behind a restart, one of which wants it paused and the next does not. */
const PILED_UP: [keyof typeof acts, unknown][] = [
  ['die', [0, 'exit']],
  ['die', [0, 'exit']],
  ['die', [0, 'exit']],
  ['verb', 'start'],
  ['verb', 'restart'],
  ['verb', 'load'],
  ['verb', 'pause'],
  ['verb', 'load'],
  ['die', [0, 'exit']],
  ['verb', 'start'],
  ['verb', 'load'],
  ['verb', 'pause'],
  ['verb', 'start'],
];

const growing = () =>
  replicated(
    { min: 2, max: 4, growAfterMs: 500, shrinkAfterMs: 2_000 },
    { mailbox: { capacity: 12 } },
  );

/** A set that may grow and shrink, its users and its lives. */
class Replicated extends Play {
  readonly stage: ReturnType<typeof growing>;
  readonly calls: { receiver: Recorder; abort: AbortController; idempotent: boolean }[] = [];

  constructor(stage = growing()) {
    super(stage.set, stage);
    this.stage = stage;
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
          const play = new Replicated();
          const { set, lives, letGo, events, up } = play.stage;
          if (isUp) await up();
          for (const [name, choice] of list) {
            await play.act(() => play[name](choice as never));
            const { receiver } = play.calls.find((call) => call.receiver.settled > 1) ?? {};
            expect(receiver?.heard).toBeUndefined();
          }
          await play.finish();
          set.close();
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
      { numRuns: 400, examples: [[true, PILED_UP]] },
    );
    // the walks go everywhere
    expect([...seen]).toEqual(expect.arrayContaining(STATES));
    expect(sizes).toEqual(new Set([2, 3, 4]));
  });
});
