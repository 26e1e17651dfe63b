/** One thread of a pool: a life of its own, which comes to where the pool is before it serves. */
import type { MessagePort } from 'node:worker_threads';

import { START_HOOKS, type Opened, type Outcome, type StartHook } from '../protocol/messages.ts';
import type { LifeEvents, LifeRequest } from './life.ts';
import type { Recruit } from './pool-crew.ts';
import { endWhenSilent } from './silence.ts';
import { threadLife, type ThreadLife } from './thread.ts';

export type CreateThreadLife = (request: LifeRequest, recruit: Recruit) => ThreadLife;

export interface PoolThreadOptions {
  request: LifeRequest;
  recruit: Recruit;
  /** Default: a life in the recruit's thread. */
  createLife?: CreateThreadLife | undefined;
  /** It stands still at a checkpoint, or goes on after that. */
  moved: () => void;
  /** A hook runs in it. */
  isExcused: () => boolean;
}

const DONE: Outcome = { ok: true, value: undefined };

export class PoolThread {
  readonly id: number;
  readonly life: ThreadLife;
  readonly opened: Promise<Outcome<Opened>>;
  /** The last call that was sent to it. */
  call = 0;
  /** It serves calls. */
  isReady = false;
  isOver = false;
  isParked = false;
  readonly #leases: MessagePort;
  readonly #done = new Set<StartHook>();
  readonly #gone: Promise<Outcome>;
  #pause = 0;
  #reached: (() => void) | undefined;
  #turn: Promise<Outcome>;

  constructor({ request, recruit, createLife = threadLife, moved, isExcused }: PoolThreadOptions) {
    this.id = recruit.threadId;
    this.#leases = recruit.leases;
    const { plan } = request;
    const park = (parked: boolean): void => {
      this.isParked = parked;
      this.#reached?.();
      moved();
    };
    const events: LifeEvents = {
      ...request.events,
      parked: () => {
        park(true);
      },
      awake: () => {
        park(false);
      },
    };
    this.life = createLife({ ...request, events }, recruit);
    const stopWatch = endWhenSilent({
      plan,
      life: this.life,
      isExcused: () => !this.isReady || this.isParked || isExcused(),
      tell: (silence) => {
        events.unresponsive(silence);
      },
    });
    this.#gone = this.life.died.then(() => {
      this.isOver = true;
      stopWatch();
      this.#leases.close();
      return DONE;
    });
    this.opened = this.life.control.open();
    this.#turn = this.opened.then((outcome) => (outcome.ok ? DONE : outcome));
  }

  /** Runs those of these hooks that did not run yet, in order. Who is gone never answers. */
  advance(wanted: ReadonlySet<StartHook>): Promise<Outcome> {
    this.#turn = this.#turn.then(async (before) => {
      if (!before.ok) return before;
      for (const name of START_HOOKS) {
        if (!wanted.has(name) || this.#done.has(name)) continue;
        const outcome = await this.life.control.hook(name);
        if (!outcome.ok) return outcome;
        this.#done.add(name);
      }
      return DONE;
    });
    return this.#turn;
  }

  hold(park: boolean): void {
    this.#pause = this.life.board.hold({ park });
  }

  /** Settles when no call runs, or the one that runs stands still. One that is gone is at rest. */
  pause(): Promise<Outcome> {
    return this.#orAtCheckpoint(this.life.control.pause(this.#pause));
  }

  resume(): Promise<Outcome> {
    return this.#orAtCheckpoint(this.life.control.resume());
  }

  shutdown(names: ('stop' | 'unload')[]): Promise<Outcome> {
    this.#done.delete('start');
    return this.life.control.shutdown(names);
  }

  endLease(number: number): void {
    if (!this.isOver) this.#leases.postMessage(number);
  }

  #orAtCheckpoint(answer: Promise<Outcome>): Promise<Outcome> {
    const reached = new Promise<Outcome>((resolve) => {
      this.#reached = () => {
        resolve(DONE);
      };
    });
    return Promise.race([answer, reached, this.#gone]);
  }
}
