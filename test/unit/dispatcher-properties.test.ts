import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FLAG, KIND } from '../../src/protocol/frame.ts';
import { Dispatcher } from '../../src/supervisor/dispatcher.ts';
import { FakeActor } from '../support/fake-actor.ts';
import { planFor } from '../support/plan.ts';
import { requestOf, type Recorder } from '../support/recorder.ts';
import { accountOf, CRASH, STOPPED } from '../support/running-plugin.ts';
import { turns } from '../support/turns.ts';

const REDELIVER = 1;
const CAPACITY = 12;

interface Asked {
  receiver: Recorder;
  idempotent: boolean;
  abort: AbortController;
}

/** A dispatcher with everything that can happen to it. */
class Scene {
  readonly asked: Asked[] = [];
  readonly dispatcher: Dispatcher;
  readonly #lives: FakeActor[] = [];
  #actor: FakeActor | undefined;
  #hung = false;

  constructor() {
    this.dispatcher = new Dispatcher(
      planFor('p', { mailbox: { capacity: CAPACITY }, restart: { redeliver: REDELIVER } }),
      {
        hang: () => {
          this.#hung = true;
        },
        deadLetter: () => undefined,
      },
    );
  }

  async act([what, choice]: readonly [Act, number]): Promise<void> {
    this[what](choice);
    await turns();
    // what a supervisor does with a plugin that hangs
    if (this.#hung) this.crash();
    this.#hung = false;
    await turns();
    expect(accountOf(this.dispatcher).out).toBe(accountOf(this.dispatcher).in);
    for (const { receiver } of this.asked) expect(receiver.settled).toBeLessThanOrEqual(1);
  }

  /** Everything ends well from here on. */
  async finish(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      this.connect();
      this.flow();
      await turns();
      this.#actor?.finish();
      await turns();
      vi.advanceTimersByTime(10_000);
      if (this.#hung) this.crash();
    }
  }

  ask(choice: number): void {
    const abort = new AbortController();
    const idempotent = choice % 3 === 0;
    const timeoutMs = [0, 0, 20, 50][choice % 4] ?? 0;
    const flags = idempotent ? FLAG.idempotent : 0;
    const request = requestOf(this.asked.length, { flags, timeoutMs, signal: abort.signal });
    this.asked.push({ receiver: request.receiver, idempotent, abort });
    this.dispatcher.accept(request);
  }

  begin(): void {
    if (this.#actor?.target.board.mayBegin()) this.#actor.begin();
  }

  answer(choice: number): void {
    const running = this.#actor?.running ?? [];
    const visit = running[choice % (running.length || 1)];
    if (!visit) return;
    if (choice % 2 === 0) this.#actor?.reply(visit, KIND.result, visit.value);
    else this.#actor?.reply(visit, KIND.failure, { name: 'E', message: 'failed' });
  }

  garble(choice: number): void {
    const running = this.#actor?.running ?? [];
    const visit = running[choice % (running.length || 1)];
    if (visit) this.#actor?.garble(visit, KIND.result);
  }

  abort(choice: number): void {
    this.asked[choice % (this.asked.length || 1)]?.abort.abort();
  }

  wait(choice: number): void {
    vi.advanceTimersByTime(choice % 40);
  }

  crash(): void {
    this.dispatcher.disconnect(CRASH, 'crashed');
    this.dispatcher.setFlowing(false);
    this.#actor = undefined;
  }

  stop(): void {
    this.dispatcher.disconnect(STOPPED, 'aborted');
    this.dispatcher.setFlowing(false);
    this.#actor = undefined;
  }

  connect(): void {
    if (this.#actor) return;
    this.#actor = new FakeActor(this.#lives.length + 1, 4);
    this.#lives.push(this.#actor);
    this.dispatcher.connect(this.#actor.target);
  }

  flow(): void {
    this.dispatcher.setFlowing(this.#actor !== undefined);
  }

  hold(): void {
    this.dispatcher.setFlowing(false);
  }

  drop(): void {
    this.dispatcher.dropWaiting(STOPPED);
  }

  /** Of each life, which calls it began, in order. */
  get begun(): number[][] {
    return this.#lives.map(({ begun }) => begun as number[]);
  }

  get malformed(): string[] {
    return this.#lives.flatMap(({ malformed }) => malformed);
  }
}

type Act =
  | 'ask'
  | 'begin'
  | 'answer'
  | 'garble'
  | 'abort'
  | 'wait'
  | 'crash'
  | 'stop'
  | 'connect'
  | 'flow'
  | 'hold'
  | 'drop';

const WEIGHTS: Record<Act, number> = {
  ask: 8,
  begin: 6,
  answer: 4,
  garble: 1,
  abort: 1,
  wait: 2,
  crash: 2,
  stop: 1,
  connect: 4,
  flow: 4,
  hold: 1,
  drop: 1,
};

const act = fc.oneof(
  ...Object.entries(WEIGHTS).map(([name, weight]) => ({
    weight,
    arbitrary: fc.tuple(fc.constant(name as Act), fc.nat(1_000)),
  })),
);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a dispatcher, through any history', () => {
  it('settles every accepted call exactly once, and its counts add up at every step', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
        const scene = new Scene();
        for (const each of acts) await scene.act(each);
        await scene.finish();

        expect(scene.asked.map(({ receiver }) => receiver.settled)).toEqual(
          scene.asked.map(() => 1),
        );
        const { meter, inFlight, queued } = scene.dispatcher;
        expect([inFlight, queued, scene.malformed, vi.getTimerCount()]).toEqual([0, 0, [], 0]);
        const refused = scene.asked.filter(
          ({ receiver }) => receiver.error?.code === 'MAILBOX_FULL',
        );
        expect(meter.started).toBe(scene.asked.length - refused.length);

        const all = scene.begun.flat();
        for (const [call, { idempotent }] of scene.asked.entries()) {
          const times = all.filter((begun) => begun === call).length;
          expect(times, `begins of call ${String(call)}`).toBeLessThanOrEqual(
            idempotent ? 1 + REDELIVER : 1,
          );
        }
        // first come, first served: also for those that came back from an earlier life
        for (const life of scene.begun) expect(life).toEqual(life.toSorted((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });
});
