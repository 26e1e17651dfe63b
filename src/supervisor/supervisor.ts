/**
 * Keeps one plugin's actor alive: performs what the machine decides, and feeds back what
 * happened. It decides nothing itself.
 */
import type { PluginError } from '../protocol/errors.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { createRedactor } from '../protocol/redact.ts';
import type { DeadLetter, HealthReport, PluginState, PluginStats } from '../protocol/report.ts';
import type { CallCarrier } from './call-target.ts';
import type { Call, CallRequest } from './call.ts';
import { Chronicle, stopped } from './chronicle.ts';
import { endOf } from './crash-report.ts';
import { cycleError, isAwaitedBy } from './cycle.ts';
import { Diagnosis } from './diagnosis.ts';
import { Dispatcher } from './dispatcher.ts';
import { Estate } from './estate.ts';
import { Handover } from './handover.ts';
import { Hooks } from './hooks.ts';
import type { Actor, Version } from './keeper.ts';
import { Keepsake } from './keepsake.ts';
import { lifeEvents } from './life-events.ts';
import type { Death, Life } from './life.ts';
import { callsOf, INITIAL, isAtRest, stateOf, transition } from './machine.ts';
import type { Effect, GroupOrder, LifecycleEvent, Machine, Verb } from './machine.ts';
import { loadFailure, notRunning } from './refusals.ts';
import { endWhenSilent } from './silence.ts';
import type { Overseer, PreparedEntry, SupervisorOptions } from './surroundings.ts';
import { VerbQueue } from './verb-queue.ts';
import { healthOf, statsOf, type Standing } from './vitals.ts';

export class Supervisor implements Version, Actor {
  readonly plan: PluginPlan;
  readonly dispatcher: Dispatcher;
  readonly diagnosis = new Diagnosis(() => ({
    id: this.id,
    state: this.state,
    life: this.#life,
    redactor: this.#chronicle.redactor,
  }));
  /** What a reload asks of its life. */
  readonly handover: Handover;
  readonly actors = [this];
  /** Set by the group that the plugin is a child of, or by a reload. */
  overseer: Overseer | undefined;
  readonly #options: SupervisorOptions;
  readonly #estate: Estate;
  readonly #hooks: Hooks;
  readonly #keepsake: Keepsake;
  readonly #verbs = new VerbQueue({
    begin: (verb) => {
      if (verb === 'load' || verb === 'restart') this.#entry = undefined;
      this.#feed({ type: verb });
    },
    yields: () => (this.state === 'restarting' ? stopped(this.id) : undefined),
  });
  #machine: Machine = INITIAL;
  #life: Life | undefined;
  #generation = 0;
  #stopIdleWatch: (() => void) | undefined;
  #entry: PreparedEntry | undefined;
  #retry: NodeJS.Timeout | undefined;
  #parkedPause: number | undefined;
  readonly #chronicle: Chronicle;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#estate = options.estate ?? new Estate(options.plan.limits);
    this.plan = options.plan;
    const { metadata, secrets } = options.plan;
    this.#chronicle = new Chronicle(metadata.id, createRedactor(secrets), (event) => {
      options.emit(event, this.#generation);
    });
    this.#keepsake = new Keepsake({
      plan: options.plan,
      settled: () => this.dispatcher.meter.settled,
      warn: (message) => {
        this.#chronicle.warn(message);
      },
    });
    this.#hooks = new Hooks(options.plan, this.#keepsake);
    this.handover = new Handover(this.#hooks, {
      life: () => (this.#parkedPause === undefined ? this.#life : undefined),
      changed: () => {
        this.#flow();
      },
    });
    const events = {
      hang: (call: Call): void => {
        const message = `the call ${call.id} ignored its abort for the whole grace`;
        this.#life?.end('hang', message, call.address?.number);
      },
      deadLetter: (letter: DeadLetter): void => {
        this.#chronicle.tell({ type: 'dead-letter', letter });
      },
    };
    this.dispatcher = new Dispatcher(options.plan, events, this.#estate, options.replica);
  }

  get id(): string {
    return this.plan.metadata.id;
  }

  get state(): PluginState {
    return stateOf(this.#machine);
  }

  get phase(): Machine['phase'] {
    return this.#machine.phase;
  }

  get generation(): number {
    return this.#generation;
  }

  get intent(): Machine['intent'] {
    return this.#machine.intent;
  }

  /** A call stands still at a checkpoint. */
  get isParked(): boolean {
    return this.#parkedPause !== undefined;
  }

  /** Whether calls are accepted now, and whether they flow to the actor. */
  get calls(): { accepted: boolean; flowing: boolean } {
    const { accepted, flowing } = callsOf(this.#machine);
    return { accepted, flowing: flowing && !this.handover.isHeld };
  }

  /** What the overseer decided. Orders do not queue behind verbs. */
  order(order: GroupOrder): void {
    this.#feed(order);
  }

  perform(verb: Verb): Promise<void> {
    return this.#verbs.perform(verb);
  }

  accept(request: CallRequest): Call | undefined {
    const { parent, receiver } = request;
    if (parent && isAwaitedBy(this.dispatcher, parent)) {
      receiver.reject(cycleError(this.id, parent));
      return undefined;
    }
    if (callsOf(this.#machine).accepted) return this.dispatcher.accept(request);
    const { at } = this.#machine.phase;
    receiver.reject(notRunning(this.id, this.state, at === 'stopping' || at === 'unloading'));
    return undefined;
  }

  health(): Promise<HealthReport> {
    return healthOf(this.plan, this.#standing());
  }

  stats(): Promise<PluginStats> {
    return statsOf(this.plan, this.#standing(), this.dispatcher);
  }

  deadLetters(): DeadLetter[] {
    return this.dispatcher.deadLetters.list();
  }

  diagnosisOf(replica: number): Diagnosis | undefined {
    return replica === (this.#options.replica ?? 0) ? this.diagnosis : undefined;
  }

  adopt(call: Call): void {
    this.dispatcher.adopt(call);
  }

  inherit({ actors: [before] }: Pick<Version, 'actors'>): void {
    if (before instanceof Supervisor) this.#chronicle.inherit(before.#chronicle);
  }

  close(): void {
    this.#estate.close();
  }

  #standing(): Standing {
    const { restarts, crashes, zombies, lastCrash, logs } = this.#chronicle;
    return {
      state: this.state,
      generation: this.#generation,
      restarts,
      crashes,
      zombies: zombies.count,
      lastCrash,
      logs,
      life: this.#life,
      parked: this.#parkedPause !== undefined,
    };
  }

  #feed(event: LifecycleEvent): void {
    const before = this.state;
    const { machine, effects } = transition(this.#machine, event, {
      pluginId: this.id,
      managed: this.overseer !== undefined,
      restart: this.plan.restart,
      now: performance.now(),
      random: this.#options.random ?? Math.random,
    });
    this.#machine = machine;
    // who starts it by hand begins anew
    if ((event.type === 'load' || event.type === 'restart') && effects.some(isOfNewLife)) {
      this.#keepsake.drop();
    }
    // what is told of a new life carries its number
    if (effects.some((effect) => effect.do === 'spawn')) {
      this.#generation = this.#estate.nextGeneration();
    }
    const after = this.state;
    if (after !== before) {
      this.#chronicle.tell({ type: 'state-changed', from: before, to: after });
    }
    this.#flow();
    for (const effect of effects) this.#perform(effect);
    this.overseer?.changed();
  }

  /** Opens the actor's gate where calls flow. */
  #flow(): void {
    const { flowing } = this.calls;
    const board = this.#life?.board;
    if (flowing && !board?.mayBegin()) board?.release();
    this.dispatcher.setFlowing(flowing);
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'spawn':
        void this.#spawn();
        return;
      case 'hook':
        this.#run((life) => this.#hooks[effect.hook](life));
        return;
      case 'shutdown':
        if (this.#parkedPause !== undefined) this.#dropParked();
        this.#run((life) => this.#hooks.shutdown(life, effect.hooks));
        return;
      case 'end':
        this.#life?.end('asked');
        if (!effect.awaited) {
          const { phase } = this.#machine;
          this.#letGo('aborted', phase.at === 'failed' ? phase.error : stopped(this.id));
        }
        return;
      case 'retry-in':
        this.#retry = setTimeout(() => {
          this.#feed({ type: 'retry' });
        }, effect.delayMs);
        return;
      case 'cancel-retry':
        clearTimeout(this.#retry);
        return;
      case 'report-end':
        this.overseer?.ended(effect.report);
        return;
      case 'drop-waiting':
        this.#dropWaiting(effect.error);
        return;
      case 'settle':
        this.#verbs.settle(effect.error);
        return;
      case 'tell':
        this.#chronicle.tell({ type: effect.event, data: effect.data ?? {} });
    }
  }

  async #spawn(): Promise<void> {
    const generation = this.#generation;
    try {
      this.#chronicle.zombies.refuseMore(this.id);
      // a crash brings the same code back; a verb looks for what is there now
      const entry = this.#entry ?? (await this.#options.prepareEntry(this.plan));
      if (this.#generation !== generation || !this.#wantsLife()) return;
      this.#entry = entry;
      this.#begin(entry);
    } catch (error) {
      if (this.#generation === generation && this.#wantsLife()) this.#hookFailed(error);
    }
  }

  #wantsLife(): boolean {
    const { phase } = this.#machine;
    return phase.at === 'loading' || (phase.at === 'restarting' && phase.step === 'loading');
  }

  #begin(entry: PreparedEntry): void {
    const life: Life = this.#options.createLife({
      plan: this.plan,
      agentId: this.#options.agentId,
      generation: this.#generation,
      replica: this.#options.replica ?? 0,
      ...entry,
      events: lifeEvents({
        outgoing: (link, frame) => {
          this.#options.outgoing(link, frame);
        },
        chronicle: this.#chronicle,
        stoodStill: (pause, hook) => {
          this.#parkedPause = hook === 'pause' ? pause : undefined;
          this.#hooks.reached(hook, pause);
        },
        threadDied: (thread, death) => {
          this.#onThreadDeath(life, thread, death);
        },
        room: () => {
          if (this.#life === life) this.dispatcher.roomMade();
        },
      }),
    });
    this.#life = life;
    this.#stopIdleWatch = endWhenSilent({
      plan: this.plan,
      life,
      isExcused: () =>
        !isAtRest(this.#machine) || this.#parkedPause !== undefined || this.handover.isUnderWay,
      tell: (silence) => {
        this.#chronicle.silent(silence);
      },
    });
    this.dispatcher.connect(life);
    this.#keepsake.follow(life);
    void life.died.then((death) => {
      this.#onDeath(life, death);
    });
    this.#run(async () => {
      const { sources } = await this.#hooks.open(life);
      entry.sources ??= sources;
    });
  }

  /** Does something with the current life and feeds the outcome, unless that life is over by then. */
  #run(work: (life: Life) => Promise<void>): void {
    const life = this.#life;
    if (!life) return;
    work(life).then(
      () => {
        if (this.#life === life) this.#feed({ type: 'done' });
      },
      (error: unknown) => {
        if (this.#life === life) this.#hookFailed(error);
      },
    );
  }

  #hookFailed(error: unknown): void {
    const failed = loadFailure(this.id, error);
    this.#feed({ type: 'hook-failed', error: failed, permanent: failed.code === 'LOAD_FAILED' });
  }

  #onDeath(life: Life, death: Death): void {
    if (this.#life !== life) return;
    const isLoading = this.#machine.phase.at === 'loading';
    const error = this.#chronicle.died(death, this.#generation, isLoading);
    this.#letGo(error.code === 'PLUGIN_STOPPED' ? 'aborted' : 'crashed', error);
    this.#feed({ type: 'died', end: endOf(death), error });
  }

  /** A thread of many: its calls are sorted as at the end of a life, and the budget is charged. */
  #onThreadDeath(life: Life, thread: CallCarrier & Pick<Life, 'links'>, death: Death): void {
    if (this.#life !== life) return;
    const error = this.#chronicle.died(death, this.#generation, false);
    this.dispatcher.lose(thread, error, error.code === 'PLUGIN_STOPPED' ? 'aborted' : 'crashed');
    for (const link of thread.links) this.#options.hungUp(link);
    if (death.reason !== 'asked') this.#feed({ type: 'thread-died', end: endOf(death), error });
  }

  /** The life is nobody's any more: its calls are sorted, its locks and subscriptions freed. */
  #letGo(how: 'crashed' | 'aborted', error: PluginError): void {
    const life = this.#life;
    if (!life) return;
    this.#life = undefined;
    this.#stopIdleWatch?.();
    this.#keepsake.unfollow();
    this.#parkedPause = undefined;
    this.dispatcher.disconnect(error, how);
    // what came back from the life waits for the next only where there may be one
    if (!callsOf(this.#machine).accepted) this.#dropWaiting(error);
    for (const link of life.links) this.#options.hungUp(link);
  }

  /** What waits for a plugin that failed is undeliverable; for one that was stopped, it was called off. */
  #dropWaiting(error: PluginError): void {
    this.dispatcher.dropWaiting(error, this.state === 'failed' ? 'plugin-failed' : undefined);
  }

  /** A call that stands still at a checkpoint would keep the plugin from stopping. */
  #dropParked(): void {
    this.dispatcher.dropBegun(stopped(this.id));
  }
}

function isOfNewLife(effect: Effect): boolean {
  return effect.do === 'spawn' || effect.do === 'shutdown';
}
