/**
 * A life of many threads, for a plugin that keeps no state between calls. Piscina makes the
 * threads, takes idle ones away and replaces those that die; each is a life of its own, and calls
 * go straight over its link. What Piscina is asked for is not a call but a lease: a thread that is
 * there for calls for as long as some wait.
 */
import { TERMINATE_TIMEOUT_MS, type ThreadsOptions } from '../protocol/limits.ts';
import type { StartHook } from '../protocol/messages.ts';
import type { ThreadCounts } from '../protocol/report.ts';
import { fromWireError } from '../protocol/wire-error.ts';
import { afterSection } from './after-section.ts';
import type { ActorLink } from './call-target.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { Death, Life, LifeRequest } from './life.ts';
import { poolBoard, poolLink, threadOf, type PoolBoard } from './pool-calls.ts';
import { POOL_DIAGNOSIS, poolControl } from './pool-control.ts';
import { createCrew, type CreateCrew, type Crew, type Recruit } from './pool-crew.ts';
import { Leases } from './pool-leases.ts';
import { PoolThread, type CreateThreadLife } from './pool-thread.ts';

/** What a pool is made of; a test has its own. */
export interface PoolParts {
  createCrew?: CreateCrew;
  createLife?: CreateThreadLife;
}

export function createPool(request: LifeRequest, parts: PoolParts = {}): Life {
  return new Pool(request, parts);
}

class Pool implements Life {
  readonly generation: number;
  readonly startedAt = Date.now();
  readonly link: Life['link'];
  readonly board: PoolBoard;
  readonly control: Life['control'];
  readonly died: Promise<Death>;
  readonly diagnosis = POOL_DIAGNOSIS;
  #request: LifeRequest;
  readonly #options: ThreadsOptions;
  readonly #createLife: CreateThreadLife | undefined;
  readonly #crew: Crew;
  readonly #threads: PoolThread[] = [];
  readonly #wanted = new Set<StartHook>();
  readonly #leases: Leases;
  #isOpen = false;
  /** How many are under way. */
  readonly #hooks = { lifecycle: 0, pause: 0 };
  #parkedPause: number | undefined;
  #isEnding = false;
  #man: () => void = () => undefined;
  #bury: (death: Death) => void = () => undefined;

  constructor(request: LifeRequest, { createCrew: crewOf = createCrew, createLife }: PoolParts) {
    const { plan, generation } = request;
    this.#request = request;
    this.#options = plan.threads ?? { min: 1, max: 1, idleMs: 0 };
    this.#createLife = createLife;
    this.generation = generation;
    this.#leases = new Leases({
      max: this.#options.max,
      crew: () => this.#crew,
      threads: this.#threads,
      room: () => {
        request.events.room();
      },
    });
    const { isFree } = this.#leases;
    const view = { threads: this.#threads, free: () => this.#threads.find(isFree) };
    this.link = poolLink(view);
    this.board = poolBoard(view);
    this.died = new Promise((resolve) => {
      this.#bury = resolve;
    });
    this.control = poolControl({
      threads: this.#threads,
      wanted: this.#wanted,
      manned: new Promise((resolve) => {
        this.#man = resolve;
      }),
      opened: ({ sources }) => {
        // threads that come later are made of the same
        this.#request = { ...this.#request, sources };
        this.#isOpen = true;
      },
      rested: (pause) => {
        if (!this.#threads.some(({ isParked }) => isParked)) return;
        this.#parkedPause = pause;
        request.events.parked(pause);
      },
      during: async (hooks, work) => {
        this.#hooks[hooks]++;
        try {
          return await work;
        } finally {
          this.#hooks[hooks]--;
        }
      },
    });
    this.#crew = crewOf(plan, this.#options, {
      joined: (recruit) => {
        this.#join(recruit);
      },
      dismissed: (threadId) => {
        this.#threads.find(({ id }) => id === threadId)?.life.end('asked');
      },
      stillborn: (exitCode) => {
        const message = `a new thread of the pool exited with code ${String(exitCode)}`;
        this.#fail({ reason: 'exit', message, exitCode, error: undefined });
      },
      choose: (threadIds) => this.#leases.choose(threadIds),
    });
  }

  get links(): ActorLink[] {
    return this.#threads.map(({ life }) => life.link);
  }

  end(reason: Parameters<Life['end']>[0], message?: string, call?: number): void {
    if (call === undefined) {
      this.#fail({
        reason,
        message: message ?? 'it was ended',
        exitCode: undefined,
        error: undefined,
      });
    } else threadOf(this.#threads, call)?.life.end(reason, message);
  }

  demand(waiting: number): void {
    this.#leases.demand(waiting);
  }

  threads(): ThreadCounts {
    const { min, max } = this.#options;
    return { running: this.#crew.size, min, max };
  }

  /** Of the average thread. */
  utilization(): number {
    const shares = this.#threads.map(({ life }) => life.utilization() ?? 0);
    return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
  }

  /** Each thread is watched by itself. */
  idleMs(): number {
    return performance.now();
  }

  stack(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  #join(recruit: Recruit): void {
    const thread = new PoolThread({
      request: this.#request,
      recruit,
      createLife: this.#createLife,
      moved: () => {
        this.#moved();
      },
      isExcused: () => this.#hooks.lifecycle + this.#hooks.pause > 0,
    });
    this.#threads.push(thread);
    if (this.#isEnding) {
      thread.life.end('asked');
      // the others were closed when the life was let go
      void thread.life.died.then(() => thread.life.link.close());
    } else if (!this.board.isHeld) thread.life.board.release();
    void thread.life.died.then((death) => {
      this.#lost(thread, death);
    });
    void this.#prepare(thread);
    if (this.#threads.length >= this.#options.min) this.#man();
  }

  async #prepare(thread: PoolThread): Promise<void> {
    const { startTimeoutMs, hookTimeoutMs } = this.#request.plan.limits;
    const limitMs = startTimeoutMs + this.#wanted.size * hookTimeoutMs;
    const gone = thread.life.died.then((): typeof TIMED_OUT => TIMED_OUT);
    const outcome = await within(Promise.race([thread.advance(this.#wanted), gone]), limitMs);
    if (thread.isOver) return;
    if (outcome !== TIMED_OUT && outcome.ok) {
      thread.isReady = true;
      this.#leases.ready(thread);
      return;
    }
    // who opened the pool hears of its first threads
    if (!this.#isOpen) return;
    if (outcome === TIMED_OUT) {
      const message = `a new thread of the pool was not ready after ${String(limitMs)} ms`;
      this.#fail({ reason: 'start-timeout', message, exitCode: undefined, error: undefined });
    } else {
      const error = fromWireError(outcome.error);
      const message = `a new thread of the pool could not be made ready: ${error.message}`;
      this.#fail({ reason: 'uncaught', message, exitCode: undefined, error });
    }
  }

  #lost(thread: PoolThread, death: Death): void {
    if (this.#isEnding) return;
    const isNeeded = !thread.isReady || this.#hooks.lifecycle > 0;
    if (isNeeded && death.reason !== 'asked') {
      this.#fail(death);
      return;
    }
    const { link, board, links } = thread.life;
    this.#request.events.threadDied({ link, board, links }, death);
    this.#threads.splice(this.#threads.indexOf(thread), 1);
    this.#moved();
    // Piscina would wait for a zombie
    if (death.zombie && !this.#leases.forget(thread)) {
      this.end('hang', 'a thread of the pool did not end');
    }
  }

  /** Nobody stands still at a checkpoint any more. */
  #moved(): void {
    const pause = this.#parkedPause;
    if (pause === undefined || this.#threads.some(({ isParked }) => isParked)) return;
    this.#parkedPause = undefined;
    this.#request.events.awake(pause);
  }

  #fail(cause: Omit<Death, 'zombie'>): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#leases.close();
    const reason = cause.reason === 'asked' ? 'asked' : 'hang';
    for (const { life } of this.#threads) life.end(reason);
    // Piscina ends them as well, and looks at nothing
    const left = new Promise<void>((resolve) => {
      afterSection(
        this.#threads.map(({ life }) => life.board),
        resolve,
      );
    });
    const ended = within(
      left.then(() => this.#crew.end()),
      TERMINATE_TIMEOUT_MS,
    );
    void this.#whenAllDied(ended).then((zombies) => {
      const zombie = zombies.length === 0 ? undefined : Promise.all(zombies).then(() => undefined);
      this.#bury({ ...cause, zombie });
    });
  }

  async #whenAllDied(crew: Promise<unknown>): Promise<Promise<void>[]> {
    const deaths = await Promise.all(this.#threads.map(({ life }) => life.died));
    const zombies = deaths.flatMap(({ zombie }) => zombie ?? []);
    // zombies have been waited for already
    if (zombies.length === 0) await crew;
    return zombies;
  }
}
