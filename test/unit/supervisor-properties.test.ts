import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FLAG, KIND } from '../../src/protocol/frame.ts';
import { VERBS } from '../../src/supervisor/machine.ts';
import { supervised } from '../support/fake-life.ts';
import { actOf, DEATHS, Play, QUESTIONS, STATES } from '../support/play.ts';
import { fc } from '../support/properties.ts';
import { requestOf, type Recorder } from '../support/recorder.ts';
import { accountOf } from '../support/running-plugin.ts';

const acts = {
  verb: { weight: 5, choice: fc.constantFrom(...VERBS) },
  call: { weight: 5, choice: fc.boolean() },
  work: { weight: 3, choice: fc.nat(3) },
  die: { weight: 3, choice: fc.constantFrom(...DEATHS) },
  wait: { weight: 2, choice: fc.constantFrom(1, 60, 300, 12_000) },
  hang: { weight: 1, choice: fc.constantFrom(...QUESTIONS) },
  fail: { weight: 1, choice: fc.constantFrom(...QUESTIONS) },
  heal: { weight: 2, choice: fc.constant(true) },
  linger: { weight: 1, choice: fc.boolean() },
};
const act = actOf(acts);

/** A supervisor, its users and its lives. */
class Supervised extends Play {
  readonly stage: ReturnType<typeof supervised>;
  readonly calls: Recorder[] = [];

  constructor(stage = supervised()) {
    super(stage.supervisor, stage);
    this.stage = stage;
  }

  call(idempotent: boolean): void {
    const request = requestOf(this.calls.length, { flags: idempotent ? FLAG.idempotent : 0 });
    this.calls.push(request.receiver);
    this.stage.supervisor.accept(request);
  }

  work(count: number): void {
    const life = this.stage.lives.at(-1);
    if (!life || life.isDead) return;
    for (let i = 0; i < count && life.board.mayBegin(); i++) life.actor.begin();
    const [visit] = life.actor.running;
    if (visit && count % 2 === 0) life.actor.reply(visit, KIND.result, visit.value);
  }

  die(reason: (typeof DEATHS)[number]): void {
    this.stage.lives.at(-1)?.die(reason);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a supervisor, through any history', () => {
  it('settles every verb and call once, lets each life go once, and leaves nothing behind', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(act, { maxLength: 40, size: 'max' }),
        async (isUp, list) => {
          const play = new Supervised();
          const { supervisor, lives, letGo, events, up } = play.stage;
          if (isUp) await up();
          for (const [name, choice] of list) {
            await play.act(() => play[name](choice as never));
            const account = accountOf(supervisor.dispatcher);
            expect(account.out).toBe(account.in);
          }
          await play.finish();
          for (const state of play.seen) seen.add(state);

          expect(supervisor.state).toBe('unloaded');
          expect(play.calls.map(({ settled }) => settled)).toEqual(play.calls.map(() => 1));
          expect([supervisor.dispatcher.inFlight, supervisor.dispatcher.queued]).toEqual([0, 0]);
          expect(new Set(letGo)).toEqual(new Set(lives));
          expect(letGo).toHaveLength(lives.length);
          expect(vi.getTimerCount()).toBe(0);
          // each state follows from the one before, and generations only grow
          let state = 'unloaded';
          for (const { event } of events) {
            if (event.type !== 'state-changed') continue;
            expect(event.from).toBe(state);
            state = event.to;
          }
          const numbers = events.map(({ generation }) => generation);
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 400 },
    );
    // the walks go everywhere
    expect([...seen]).toEqual(expect.arrayContaining(STATES));
  });
});
