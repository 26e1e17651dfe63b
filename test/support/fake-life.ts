/** Lives without threads, for a supervisor: a test says what each hook answers and when it dies. */
import type { ReplicaBounds } from '../../src/protocol/manifest.ts';
import {
  OPTIONAL_HOOKS,
  type ActorControl,
  type EncodedValue,
  type Opened,
  type Outcome,
} from '../../src/protocol/messages.ts';
import type { SignalBoard } from '../../src/protocol/signal-board.ts';
import type { SupervisorEvent } from '../../src/supervisor/chronicle.ts';
import type { Version } from '../../src/supervisor/keeper.ts';
import type { Death, Life, LifeRequest } from '../../src/supervisor/life.ts';
import { ReplicaSet } from '../../src/supervisor/replica-set.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import type { SupervisorOptions } from '../../src/supervisor/surroundings.ts';
import type { Link } from '../../src/transport/link.ts';
import { FakeActor } from './fake-actor.ts';
import { planFor, type PlanFields } from './plan.ts';
import { requestOf, type Asked, type Recorder } from './recorder.ts';

/** `hangs`: it never answers. An Error: the hook failed with it. */
export type Answer = 'ok' | 'hangs' | Error;

/** What the control plane is asked: `open`, a hook, or `shutdown`. */
export type Question =
  | 'open'
  | 'load'
  | 'init'
  | 'start'
  | 'pause'
  | 'resume'
  | 'shutdown'
  | 'snapshot'
  | 'restore';

export class FakeLife implements Life {
  readonly generation: number;
  readonly replica: number;
  readonly entryUrl: string;
  readonly startedAt = 0;
  readonly actor: FakeActor;
  readonly link: Link;
  readonly board: SignalBoard;
  readonly control: ActorControl;
  readonly died: Promise<Death>;
  readonly links: Link[];
  readonly diagnosis = {
    cpuProfile: () => Promise.resolve(undefined),
    heapSnapshot: () => Promise.resolve(false),
    standsStill: false,
  };
  readonly asked: Question[] = [];
  /** Why it was ended from outside, if it was. */
  ended: string | undefined;
  isDead = false;
  readonly #script: Script;
  #bury: (death: Death) => void = () => undefined;

  constructor(request: LifeRequest, script: Script) {
    this.generation = request.generation;
    this.replica = request.replica;
    this.entryUrl = request.entryUrl;
    this.actor = new FakeActor(request.generation);
    ({ link: this.link, board: this.board } = this.actor.target);
    this.links = [this.link];
    this.#script = script;
    this.control = {
      open: () => this.#answer<Opened>('open', { hooks: [...OPTIONAL_HOOKS] }),
      hook: (name) => this.#answer(name, undefined),
      pause: () => this.#answer('pause', undefined),
      resume: () => this.#answer('resume', undefined),
      shutdown: () => this.#answer('shutdown', undefined),
      snapshot: () =>
        this.#answer<EncodedValue>('snapshot', { frame: new Uint8Array(3), flags: 0 }),
      restore: () => this.#answer('restore', undefined),
      ping: () => Promise.resolve(),
      cpuProfile: () => new Promise(() => undefined),
      heapSnapshot: () => new Promise(() => undefined),
      health: () => {
        script.whenAsked?.('health', this);
        return Promise.resolve({ ready: true });
      },
      stats: () =>
        Promise.resolve({
          heapUsedBytes: 1,
          externalBytes: 1,
          utilization: 0,
          metrics: [],
          plugin: undefined,
        }),
    };
    this.died = new Promise((resolve) => {
      this.#bury = resolve;
    });
  }

  /** Values of the calls that wait at its actor. */
  get waiting(): unknown[] {
    return this.actor.inbox.map(({ value }) => value);
  }

  end(reason: string): void {
    this.ended ??= reason;
    if (this.#script.diesWhenEnded) this.die(reason as Death['reason']);
  }

  die(reason: Death['reason'], message = `it died: ${reason}`): void {
    if (this.isDead) return;
    this.isDead = true;
    this.#bury({ reason, message, exitCode: 1, error: undefined, zombie: undefined });
  }

  utilization(): number {
    return 0;
  }

  idleMs(): number {
    return performance.now();
  }

  stack(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  #answer<T>(question: Question, value: T): Promise<Outcome<T>> {
    this.asked.push(question);
    this.#script.whenAsked?.(question, this);
    const answer = this.#script.answers[question] ?? 'ok';
    // as Comlink: who is dead, or hangs, never answers
    if (answer === 'hangs' || this.isDead) return new Promise(() => undefined);
    if (answer === 'ok') return Promise.resolve({ ok: true, value });
    const { name, message } = answer;
    return Promise.resolve({ ok: false, error: { name, message } });
  }
}

/** How the lives that come behave; a test may change it at any time. */
export interface Script {
  answers: Partial<Record<Question, Answer>>;
  diesWhenEnded: boolean;
  /** Finding the code fails. */
  prepare: Error | undefined;
  /** Where the code is found. */
  file: string;
  /** Hears of each question before it is answered. */
  whenAsked?: ((question: Question | 'health', life: FakeLife) => void) | undefined;
}

export function supervised(fields: PlanFields = {}) {
  const stage = stageFor(fields);
  const supervisor = new Supervisor(stage.options);
  return { ...stage, supervisor, up: () => bringUp(supervisor) };
}

/** Several of them behind one id; `lives` and `events` are those of all. */
export function replicated(range: Partial<ReplicaBounds>, fields: PlanFields = {}) {
  const bounds = { min: 1, max: range.min ?? 1, growAfterMs: 500, shrinkAfterMs: 30_000, ...range };
  const stage = stageFor({ ...fields, replicas: bounds });
  const set = new ReplicaSet(stage.options, bounds);
  return {
    ...stage,
    set,
    up: () => bringUp(set),
    ask: (value: unknown, asked: Asked = {}): Recorder => {
      const request = requestOf(value, asked);
      set.accept(request);
      return request.receiver;
    },
    /** What is told of the set itself. */
    toldOfAll: () => stage.told().filter((line) => /^[a-z]/.test(line)),
    answerAll: (): void => {
      for (const { actor, isDead } of stage.lives) if (!isDead) actor.finish();
    },
    /** The present life of that replica. */
    lifeOf: (replica: number): FakeLife => {
      const life = stage.lives.findLast((each) => each.replica === replica);
      if (!life) throw new Error(`replica ${replica} has no life`);
      return life;
    },
  };
}

export async function bringUp(keeper: Pick<Version, 'perform'>): Promise<void> {
  for (const verb of ['load', 'init', 'start'] as const) await keeper.perform(verb);
}

interface Told {
  event: SupervisorEvent;
  generation: number;
  replica: number | undefined;
}

/** What a supervisor is given, with lives that a test plays. */
export function stageFor(fields: PlanFields) {
  const script: Script = {
    answers: {},
    diesWhenEnded: true,
    prepare: undefined,
    file: 'file:///p.mjs',
  };
  const lives: FakeLife[] = [];
  const letGo: Life[] = [];
  const events: Told[] = [];
  const options: SupervisorOptions = {
    plan: planFor('p', fields),
    agentId: 'agent',
    random: () => 0,
    prepareEntry: () =>
      script.prepare
        ? Promise.reject(script.prepare)
        : Promise.resolve({ entryUrl: script.file, modules: {}, sourceMaps: false }),
    createLife: (request) => {
      const life = new FakeLife(request, script);
      lives.push(life);
      return life;
    },
    outgoing: () => undefined,
    hungUp: (link) => {
      letGo.push(...lives.filter((life) => life.link === link));
    },
    emit: (event, generation, replica) => {
      events.push({ event, generation, replica });
    },
  };
  return {
    options,
    script,
    lives,
    letGo,
    events,
    /** State changes and other events, as text. */
    told: () => events.map(inWords),
    latest: (): FakeLife => {
      const life = lives.at(-1);
      if (!life) throw new Error('there is no life');
      return life;
    },
  };
}

function inWords({ event, replica }: Told): string {
  const of = replica === undefined ? '' : `${String(replica)}: `;
  const isChange = event.type === 'state-changed' || event.type === 'replica-changed';
  if (isChange) return `${of}${event.from} → ${event.to}`;
  return event.type === 'scaled'
    ? `scaled ${String(event.from)} → ${String(event.to)}`
    : `${of}${event.type}`;
}
