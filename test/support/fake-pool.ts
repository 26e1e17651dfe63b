/** A pool without Piscina and without threads: a test says who joins, who gets a lease, who dies. */
import type { Worker, MessagePort } from 'node:worker_threads';

import { SharedWords } from '../../src/protocol/board-words.ts';
import type { ThreadsOptions } from '../../src/protocol/limits.ts';
import type { Death } from '../../src/supervisor/life.ts';
import type { Crew, CrewEvents, LeaseRequest } from '../../src/supervisor/pool-crew.ts';
import { createPool } from '../../src/supervisor/pool.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { FakeLife, type Script } from './fake-life.ts';
import { planFor, type PlanFields } from './plan.ts';
import { requestOf, type Asked, type Recorder } from './recorder.ts';
import { turns } from './turns.ts';

interface OpenLease {
  request: LeaseRequest;
  threadId: number;
  over: (inOrder: boolean) => void;
}

export class FakeCrew implements Crew {
  size = 0;
  isEnded = false;
  /** Asked for, and not granted. */
  readonly wanted: LeaseRequest[] = [];
  readonly #events: CrewEvents;
  readonly #open = new Map<number, OpenLease>();

  constructor(events: CrewEvents) {
    this.#events = events;
  }

  /** Leases that are granted, as numbers of threads. */
  get leased(): number[] {
    return [...this.#open.values()].flatMap(({ threadId }) => threadId || []);
  }

  lease(request: LeaseRequest): Promise<boolean> {
    this.wanted.push(request);
    return new Promise((over) => {
      this.#open.set(request.number, { request, threadId: 0, over });
    });
  }

  end(): Promise<void> {
    this.isEnded = true;
    return Promise.resolve();
  }

  join(threadId: number): void {
    this.size++;
    const leases = {
      postMessage: (number: number) => {
        this.#endLease(number, true);
      },
      close: () => undefined,
    };
    this.#events.joined({
      threadId,
      leases: leases as unknown as MessagePort,
      worker: {} as Worker,
      words: new SharedWords(new SharedArrayBuffer(8)),
      bus: leases as unknown as MessagePort,
      control: leases as unknown as MessagePort,
    });
  }

  /** Grants the oldest lease that is wanted to the idle thread that the pool chooses of these. */
  grant(...threadIds: number[]): number | undefined {
    const idle = threadIds.filter((id) => !this.leased.includes(id));
    const threadId = this.#events.choose(idle);
    const request = threadId === undefined ? undefined : this.wanted.shift();
    const lease = request && this.#open.get(request.number);
    if (!lease || threadId === undefined) return undefined;
    lease.threadId = threadId;
    lease.request.granted(threadId);
    return threadId;
  }

  /** As Piscina when a thread is gone: its task fails. */
  lose(threadId: number): void {
    this.size--;
    for (const [number, lease] of this.#open) {
      if (lease.threadId === threadId) this.#endLease(number, false);
    }
  }

  /** Lets a thread go that it takes for idle. */
  dismiss(threadId: number): void {
    this.lose(threadId);
    this.#events.dismissed(threadId);
  }

  stillborn(): void {
    this.#events.stillborn(1);
  }

  #endLease(number: number, inOrder: boolean): void {
    this.#open.get(number)?.over(inOrder);
    this.#open.delete(number);
  }
}

export function pooled(threads: ThreadsOptions, fields: PlanFields = {}) {
  const script: Script = {
    answers: {},
    diesWhenEnded: true,
    prepare: undefined,
    file: 'file:///p.mjs',
  };
  const crews: FakeCrew[] = [];
  const lives: FakeLife[] = [];
  const told: string[] = [];
  const plan = { ...planFor('p', fields), threads, concurrency: threads.max };
  const supervisor = new Supervisor({
    plan,
    agentId: 'agent',
    random: () => 0,
    prepareEntry: () =>
      Promise.resolve({ entryUrl: 'file:///p.mjs', modules: {}, sourceMaps: false }),
    createLife: (request) =>
      createPool(request, {
        createCrew: (_plan, _threads, events) => {
          const crew = new FakeCrew(events);
          crews.push(crew);
          return crew;
        },
        createLife: (ofThread) => {
          const life = new FakeLife(ofThread, script);
          lives.push(life);
          return life;
        },
      }),
    outgoing: () => undefined,
    hungUp: () => undefined,
    emit: (event) => {
      told.push(event.type === 'crashed' ? `crashed: ${event.crash.reason}` : event.type);
    },
  });
  const crew = (): FakeCrew => {
    const latest = crews.at(-1);
    if (!latest) throw new Error('there is no pool');
    return latest;
  };
  return {
    supervisor,
    script,
    /** Of each life, in order. */
    crews,
    crew,
    /** Of each thread that joined, in order. */
    lives,
    told,
    /** Brings it up with its first threads, 1 to `threads.min`. */
    async up(): Promise<void> {
      const loaded = supervisor.perform('load');
      await turns();
      for (let id = 1; id <= threads.min; id++) crew().join(id);
      await loaded;
      for (const verb of ['init', 'start'] as const) await supervisor.perform(verb);
    },
    call(value: unknown, asked: Asked = {}): Recorder {
      const request = requestOf(value, asked);
      supervisor.accept(request);
      return request.receiver;
    },
    /** What the calls that began in this thread were given, in order. */
    begun(thread: number): unknown[] {
      lives[thread - 1]?.actor.beginAll();
      return lives[thread - 1]?.actor.begun ?? [];
    },
    async finish(thread: number): Promise<void> {
      lives[thread - 1]?.actor.finish();
      await turns();
    },
    async die(thread: number, reason: Death['reason'] = 'exit'): Promise<void> {
      crew().lose(thread);
      lives[thread - 1]?.die(reason);
      await turns();
    },
  };
}
