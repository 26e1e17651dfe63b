import { fileURLToPath } from 'node:url';
/** The threads of a pool come and go as Piscina sees fit: the only place that makes one. */
import type { MessagePort, Worker } from 'node:worker_threads';

import { Piscina } from 'piscina';

import { SharedWords } from '../protocol/board-words.ts';
import type { ThreadsOptions } from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { seatOf } from '../transport/ring.ts';
import { isIntroduction } from '../transport/thread-data.ts';
import { bare } from './bare.ts';
import { permittedTo } from './host-permission.ts';
import { execArgvOf, LOOKING, resourceLimitsOf, type ThreadShell } from './thread-shell.ts';

/** A thread that waits to be told which plugin it is. */
export interface Recruit extends ThreadShell {
  readonly threadId: number;
  readonly leases: MessagePort;
}

export interface CrewEvents {
  joined(recruit: Recruit): void;
  /** Piscina lets this thread go, or learns that it is gone. */
  dismissed(threadId: number): void;
  /** A thread ended before it could join. */
  stillborn(exitCode: number): void;
  /** Which of these idle threads takes the next lease. */
  choose(threadIds: readonly number[]): number | undefined;
}

/** A thread that is to be there for calls, from when it is granted until it is told to be over. */
export interface LeaseRequest {
  number: number;
  granted(threadId: number): void;
  /** Piscina forgets the thread, whatever it does. */
  signal: AbortSignal;
}

export interface Crew {
  /** Threads there are. */
  readonly size: number;
  /** Settles when it is over; false where the thread did not end it in good order. */
  lease(request: LeaseRequest): Promise<boolean>;
  /** Ends all threads; settles when they are gone. */
  end(): Promise<void>;
}

export type CreateCrew = (plan: PluginPlan, threads: ThreadsOptions, events: CrewEvents) => Crew;

const ENTRY = fileURLToPath(
  new URL(`../../workers/pool.${import.meta.url.endsWith('.ts') ? 'ts' : 'cjs'}`, import.meta.url),
);

export const createCrew: CreateCrew = (plan, { min, max, idleMs }, events) => {
  const requests = new Map<number, LeaseRequest>();
  const watched = new WeakSet<Worker>();
  /** Threads that have not joined, by id. */
  const coming = new Set<number>();
  const options: ConstructorParameters<typeof Piscina>[0] = {
    filename: ENTRY,
    minThreads: min,
    maxThreads: max,
    idleTimeout: idleMs,
    // its default blocks the event loop of a thread that has no task
    atomics: 'async',
    recordTiming: false,
    argv: [],
    env: bare({ ...plan.env }),
    execArgv: execArgvOf(plan.access?.addons ?? true),
    resourceLimits: resourceLimitsOf(plan.limits),
    workerData: { ...LOOKING },
    loadBalancer: (task, workers) => {
      const request = requests.get(numberOf(task));
      const idle = workers.filter(({ currentUsage }) => currentUsage === 0);
      const threadId = request && events.choose(idle.map(({ id }) => id));
      const chosen = idle.find(({ id }) => id === threadId);
      if (!chosen) return null;
      request?.granted(chosen.id);
      return chosen;
    },
  };
  const piscina = permittedTo('start a thread', plan.metadata.id, () => new Piscina(options));

  /** Piscina tells of a thread when it is ready; one that never is should be noticed, too. */
  const watch = (): void => {
    for (const worker of piscina.threads) {
      if (watched.has(worker)) continue;
      watched.add(worker);
      const { threadId } = worker;
      coming.add(threadId);
      worker.once('exit', (exitCode) => {
        queueMicrotask(watch);
        if (coming.delete(threadId)) events.stillborn(exitCode);
      });
    }
  };
  watch();
  piscina.on('message', (said: unknown) => {
    if (!isIntroduction(said) || !coming.has(said.threadId)) return;
    const { threadId, board, rings, ...ports } = said;
    const worker = piscina.threads.find((thread) => thread.threadId === threadId);
    if (!worker) return;
    coming.delete(threadId);
    const words = new SharedWords(board);
    // it does not look yet, whatever its word says
    Atomics.store(seatOf(rings.toActor), 0, 0);
    events.joined({ threadId, worker, words, rings: { ...rings, ...LOOKING }, ...ports });
  });
  piscina.on('workerDestroy', ({ id }: { id: number }) => {
    coming.delete(id);
    queueMicrotask(watch);
    events.dismissed(id);
  });
  // what a thread throws up is heard where its life is told
  piscina.on('error', () => undefined);

  return {
    get size() {
      return piscina.threads.length;
    },
    async lease(request) {
      const { number, signal } = request;
      requests.set(number, request);
      try {
        const task = { number, [Piscina.queueOptionsSymbol]: { number } };
        const over = piscina.run(task, { signal });
        watch();
        await over;
        return true;
      } catch {
        return false;
      } finally {
        requests.delete(number);
      }
    },
    async end() {
      coming.clear();
      await piscina.destroy();
    },
  };
};

/** What Piscina shows its balancer of a task. */
function numberOf(task: object): number {
  const options: unknown = Reflect.get(task, Piscina.queueOptionsSymbol);
  return typeof options === 'object' && options !== null && 'number' in options
    ? Number(options.number)
    : 0;
}
