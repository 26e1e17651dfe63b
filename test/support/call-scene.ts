/** A dispatcher, its caller and its actor, with everything that can happen between them. */
import assert from 'node:assert/strict';

import { vi } from 'vitest';

import { FLAG, KIND } from '../../src/protocol/frame.ts';
import { Dispatcher } from '../../src/supervisor/dispatcher.ts';
import { FakeActor } from './fake-actor.ts';
import { planFor } from './plan.ts';
import { requestOf, type Recorder } from './recorder.ts';
import { accountOf, CRASH, STOPPED } from './running-plugin.ts';
import { turns } from './turns.ts';

export const REDELIVER = 1;
const CAPACITY = 12;

export type Act =
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

interface Asking {
  receiver: Recorder;
  idempotent: boolean;
  abort: AbortController;
}

export class Scene {
  readonly asked: Asking[] = [];
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
    const account = accountOf(this.dispatcher);
    assert.equal(account.out, account.in, `calls accounted for after ${what}`);
    for (const { receiver } of this.asked) {
      assert.ok(receiver.settled <= 1, `settled twice after ${what}: ${receiver.heard.join()}`);
    }
  }

  /** Everything ends well from here on. */
  async finish(): Promise<void> {
    for (let round = 0; round < 8; round++) {
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
