/**
 * A life of many threads, for a plugin that keeps no state between calls. Piscina makes the
 * threads, takes idle ones away and replaces those that die; each is a life of its own, and calls
 * go straight over its link. What Piscina is asked for is not a call but a lease: a thread that is
 * there for calls for as long as some wait.
 */
import { LEASE_LINGER_MS, TERMINATE_TIMEOUT_MS, type ThreadsOptions } from '../protocol/limits.ts';
import type { StartHook } from '../protocol/messages.ts';
import type { ThreadCounts } from '../protocol/report.ts';
import { fromWireError } from '../protocol/wire-error.ts';
import type { ActorLink } from './call-target.ts';
import { TIMED_OUT, within } from './deadline.ts';
import type { Death, Life, LifeRequest } from './life.ts';
import { poolBoard, poolLink, threadOf, type PoolBoard } from './pool-calls.ts';
import { POOL_DIAGNOSIS, poolControl } from './pool-control.ts';
import { createCrew, type CreateCrew, type Crew, type Recruit } from './pool-crew.ts';
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
  readonly #request: LifeRequest;
  readonly #options: ThreadsOptions;
  readonly #createLife: CreateThreadLife | undefined;
  readonly #crew: Crew;
  readonly #threads: PoolThread[] = [];
  readonly #wanted = new Set<StartHook>();
  /** Leases that are granted, by thread. */
  readonly #leases = new Map<number, { number: number; forget: AbortController }>();
  /** Leases that are asked for or granted. */
  #leased = 0;
  #lastLease = 0;
  #waiting = 0;
  #isRoomTold = true;
  #sweep: NodeJS.Timeout | undefined;
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
    const view = { threads: this.#threads, free: () => this.#threads.find(this.#isFree) };
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
      opened: () => {
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
      choose: (threadIds) => this.#choose(threadIds),
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
    this.#waiting = waiting;
    this.#balance();
    if (waiting === 0 && this.#threads.some(this.#isFree)) this.#sweepSoon();
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

  // --- threads ---

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
    if (this.#isEnding) thread.life.end('asked');
    else if (!this.board.isHeld) thread.life.board.release();
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
      if (this.#leases.has(thread.id)) this.#tellRoom();
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
    if (!death.zombie) return;
    // Piscina would wait for it
    const lease = this.#leases.get(thread.id);
    if (lease) lease.forget.abort();
    else this.end('hang', 'a thread of the pool did not end');
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
    clearTimeout(this.#sweep);
    const reason = cause.reason === 'asked' ? 'asked' : 'hang';
    for (const { life } of this.#threads) life.end(reason);
    const ended = within(this.#crew.end(), TERMINATE_TIMEOUT_MS);
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

  // --- leases ---

  readonly #isFree = ({ id, isReady, isOver, life }: PoolThread): boolean =>
    isReady && !isOver && life.link.openCalls === 0 && this.#leases.has(id);

  /** One that serves already rather than one that has to come up first. */
  #choose(threadIds: readonly number[]): number | undefined {
    const stateOf = (threadId: number): PoolThread | undefined =>
      this.#threads.find(({ id }) => id === threadId);
    const able = threadIds.filter((id) => !this.#leases.has(id) && stateOf(id)?.isOver !== true);
    return able.find((id) => stateOf(id)?.isReady) ?? able[0];
  }

  /** As many threads as there are calls, up to all. */
  #balance(): void {
    if (this.#isEnding) return;
    const wanted = Math.min(this.#options.max, this.link.openCalls + this.#waiting);
    while (this.#leased < wanted) this.#ask();
  }

  #ask(): void {
    this.#lastLease++;
    const lease = { number: this.#lastLease, forget: new AbortController() };
    let threadId = 0;
    this.#leased++;
    const over = this.#crew.lease({
      number: lease.number,
      signal: lease.forget.signal,
      granted: (id) => {
        threadId = id;
        this.#leases.set(id, lease);
        this.#tellRoom();
      },
    });
    void over.then((inOrder) => {
      this.#leased--;
      if (this.#leases.get(threadId) === lease) this.#leases.delete(threadId);
      if (inOrder) this.#balance();
      // a thread died of it: what follows from that comes first
      else
        setImmediate(() => {
          this.#balance();
        });
    });
  }

  #tellRoom(): void {
    if (!this.#isRoomTold) return;
    this.#isRoomTold = false;
    queueMicrotask(() => {
      this.#isRoomTold = true;
      if (!this.#isEnding) this.#request.events.room();
    });
  }

  #sweepSoon(): void {
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined;
      if (this.#waiting > 0) return;
      for (const thread of this.#threads.filter(this.#isFree)) {
        const lease = this.#leases.get(thread.id);
        if (!lease) continue;
        this.#leases.delete(thread.id);
        thread.endLease(lease.number);
      }
    }, LEASE_LINGER_MS).unref();
  }
}
