/**
 * Several actors of one plugin behind its one id: each has a supervisor of its own, with its own
 * mailbox and restart budget. The set says which of them a call goes to, leads a verb to all of
 * them, and says what they are together.
 */
import { PluginError } from '../protocol/errors.ts';
import { CRASH_LOG_LINES } from '../protocol/limits.ts';
import type { PluginPlan, ReplicaBounds } from '../protocol/manifest.ts';
import type { DeadLetter, HealthReport, PluginState, PluginStats } from '../protocol/report.ts';
import type { Call, CallRequest } from './call.ts';
import { stopped, type SupervisorEvent } from './chronicle.ts';
import { cycleError, isAwaitedBy } from './cycle.ts';
import type { Diagnosis } from './diagnosis.ts';
import { Estate } from './estate.ts';
import type { Actor, Version } from './keeper.ts';
import type { Verb } from './machine.ts';
import { notRunning } from './refusals.ts';
import { keyedTo, leastLoaded } from './replica-choice.ts';
import { Crew } from './replica-crew.ts';
import { failureOf, type ReplicaFailure } from './replica-failure.ts';
import type { LoadLook } from './replica-policy.ts';
import { jointHealth, jointStats } from './replica-report.ts';
import { Scaler } from './replica-scaler.ts';
import { Spread } from './replica-spread.ts';
import { heldState, jointState, stepsOf } from './replica-state.ts';
import { Replica } from './replica.ts';
import { Supervisor } from './supervisor.ts';
import type { PreparedEntry, SupervisorOptions } from './surroundings.ts';
import { ToldMetrics } from './told-metrics.ts';
import { VerbQueue } from './verb-queue.ts';

export class ReplicaSet implements Version {
  readonly plan: PluginPlan;
  readonly #options: SupervisorOptions;
  readonly #estate: Estate;
  readonly #crew: Crew;
  /** A verb that leads all of them leaves their calls where they are. */
  readonly #spread = new Spread(() => (this.#isLed ? [] : this.#crew.members));
  readonly #scaler: Scaler;
  readonly #verbs = new VerbQueue({
    begin: (verb) => void this.#lead(verb),
    yields: () =>
      this.#crew.members.some(({ state }) => state === 'restarting') ? stopped(this.id) : undefined,
  });
  /** The last lines of all replicas, oldest first. */
  readonly #logs: string[] = [];
  readonly #metrics = new ToldMetrics();
  /** What all of them run, since a verb last looked for it: one that joins later is no other version. */
  #entry: Promise<PreparedEntry> | undefined;
  #state: PluginState = 'unloaded';
  #held: PluginState | undefined;
  /** Verbs led so far; one that gave way to a stop is not the last any more. */
  #led = 0;
  #isLed = false;
  /** Where the last call went that had no key: of equals its thread is the one that is awake. */
  #last = 0;

  /** @param before how many the version before had: there are as many at first, within the bounds. */
  constructor(options: SupervisorOptions, bounds: ReplicaBounds, before = bounds.min) {
    this.plan = options.plan;
    this.#options = options;
    this.#estate = options.estate ?? new Estate(options.plan.limits);
    this.#crew = new Crew({
      bounds,
      first: Math.min(bounds.max, Math.max(bounds.min, before)),
      create: (replica) => this.#create(replica),
      resized: (from, to) => {
        options.emit({ type: 'scaled', from, to }, this.generation);
        this.#look();
      },
      failed: ({ replica, supervisor }, error) => {
        const message = error instanceof Error ? error.message : String(error);
        options.emit({ type: 'warning', message }, supervisor.generation, replica);
        this.#scaler.rest();
      },
    });
    this.#scaler = new Scaler({
      bounds,
      look: () => this.#loadLook(),
      resize: (to) => {
        if (!this.#isLed) this.#crew.resize(to);
      },
    });
  }

  get id(): string {
    return this.plan.metadata.id;
  }

  get state(): PluginState {
    return this.#state;
  }

  get generation(): number {
    return Math.max(...this.#crew.all.map(({ supervisor }) => supervisor.generation));
  }

  get actors(): readonly Actor[] {
    return this.#crew.members.map(({ supervisor }) => supervisor);
  }

  perform(verb: Verb): Promise<void> {
    return this.#verbs.perform(verb);
  }

  accept(request: CallRequest): Call | undefined {
    const replica = this.#takes ? this.#choose(request) : undefined;
    if (!replica) {
      request.receiver.reject(this.#refusal(request));
      return undefined;
    }
    const call = replica.supervisor.accept(request);
    if (replica.waiting > 0) this.#spread.soon();
    return call;
  }

  adopt(call: Call): void {
    const supervisor = this.#choose(call.request)?.supervisor ?? this.actors[0];
    supervisor?.dispatcher.adopt(call);
  }

  inherit(before: Version): void {
    for (const { supervisor, replica } of this.#crew.members) {
      const actor = before.actors[replica];
      if (actor) supervisor.inherit({ actors: [actor] });
    }
  }

  async health(): Promise<HealthReport> {
    const answers = this.#crew.members.map(async ({ replica, supervisor }) => ({
      replica,
      ...(await supervisor.health()),
    }));
    return jointHealth(this.#state, await Promise.all(answers));
  }

  async stats(): Promise<PluginStats> {
    const { all, members } = this.#crew;
    const answers = all.map(async (each) => ({
      replica: each.replica,
      dispatcher: each.dispatcher,
      stats: await each.supervisor.stats(),
      isMember: members.includes(each),
    }));
    const told = await Promise.all(answers);
    const metrics = told.map(({ dispatcher, stats }) =>
      stats.startedAt === undefined
        ? []
        : this.#metrics.of(dispatcher, stats.generation, stats.metrics),
    );
    const { state, generation } = this;
    return jointStats({ state, generation, logs: this.#logs, metrics }, told);
  }

  deadLetters(): DeadLetter[] {
    return this.#estate.deadLetters.list();
  }

  diagnosisOf(replica: number): Diagnosis | undefined {
    return this.#crew.members.find((member) => member.replica === replica)?.supervisor.diagnosis;
  }

  close(): void {
    this.#scaler.close();
    this.#spread.close();
    this.#estate.close();
  }

  #create(replica: number): Replica {
    const supervisor = new Supervisor({
      ...this.#options,
      prepareEntry: (plan) => this.#prepareEntry(plan),
      emit: (event, generation) => {
        this.#told(event, generation, replica);
      },
      estate: this.#estate,
      replica,
    });
    return new Replica(replica, supervisor);
  }

  #prepareEntry(plan: PluginPlan): Promise<PreparedEntry> {
    const entry = this.#entry ?? this.#options.prepareEntry(plan);
    this.#entry = entry;
    entry.catch(() => {
      if (this.#entry === entry) this.#entry = undefined;
    });
    return entry;
  }

  #told(event: SupervisorEvent, generation: number, replica: number): void {
    const options = this.#options;
    if (event.type === 'state-changed') {
      options.emit({ ...event, type: 'replica-changed' }, generation, replica);
      this.#look();
      return;
    }
    if (event.type === 'log') {
      this.#logs.push(event.line.message);
      if (this.#logs.length > CRASH_LOG_LINES) this.#logs.shift();
    }
    options.emit(event, generation, replica);
  }

  /** Something changed: what is the set now, and who has calls that another could begin? */
  #look(): void {
    const from = this.#state;
    const to = this.#held ?? jointState(this.#crew.members.map(({ state }) => state));
    if (to !== from) {
      this.#state = to;
      this.#options.emit({ type: 'state-changed', from, to }, this.generation);
    }
    this.#scaler.setActive(to === 'running');
    this.#spread.now();
  }

  get #takes(): boolean {
    const state = this.#state;
    return state === 'running' || state === 'paused' || state === 'restarting';
  }

  #choose({ affinity, parent }: CallRequest): Replica | undefined {
    const { members } = this.#crew;
    if (affinity) return keyedTo(affinity, members);
    const chosen = leastLoaded(
      members,
      this.#last,
      parent && (({ dispatcher }) => !isAwaitedBy(dispatcher, parent)),
    );
    if (chosen) this.#last = members.indexOf(chosen);
    return chosen;
  }

  #refusal({ parent }: CallRequest): PluginError {
    const isOpen = this.#takes && this.#crew.members.some((member) => member.isOpen);
    return isOpen ? cycleError(this.id, parent) : notRunning(this.id, this.#state, this.#takes);
  }

  #loadLook(): Omit<LoadLook, 'now'> {
    const { members } = this.#crew;
    return {
      replicas: members.length,
      concurrency: this.plan.concurrency,
      open: members.reduce((sum, { load }) => sum + load, 0),
      hasRoom: members.some((member) => member.isRunning && member.waiting < 0),
    };
  }

  async #lead(verb: Verb): Promise<void> {
    const run = ++this.#led;
    const set = this.#state;
    if (verb === 'load' || verb === 'restart') this.#entry = undefined;
    this.#isLed = true;
    this.#held = heldState(verb, set);
    this.#look();
    const steps = this.#crew.members.map((member) => this.#leadOne(member, verb, set, run));
    const calledOff = this.#crew.callOff();
    const failures = await Promise.all(steps);
    if (verb === 'unload') await calledOff;
    if (run !== this.#led) return;
    this.#isLed = false;
    this.#held = undefined;
    if (verb === 'unload') this.#crew.reset();
    this.#look();
    this.#verbs.settle(failureOf(this.id, failures.flat()));
  }

  async #leadOne(
    { replica, supervisor }: Replica,
    verb: Verb,
    set: PluginState,
    run: number,
  ): Promise<ReplicaFailure[]> {
    const from = supervisor.state;
    try {
      for (const step of stepsOf(verb, from, set)) {
        if (run === this.#led) await supervisor.perform(step);
      }
      return [];
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      // the verb is not for one that is elsewhere than the others, say failed
      const isConcerned = from === set || error.code !== 'INVALID_STATE';
      return isConcerned ? [{ replica, error }] : [];
    }
  }
}
