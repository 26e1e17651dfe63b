/**
 * The versions of one plugin, one after the other, behind its one id. A reload brings the next
 * version up beside the present one, and puts it in its place between two turns of the event
 * loop: calls that have not begun go to the new one, begun ones end at the old one. Until then the
 * old one serves as if nothing were; so a version that is refused was never there.
 */
import { PluginError } from '../protocol/errors.ts';
import { LEAVING_VERSIONS_MAX } from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import type {
  DeadLetter,
  HealthReport,
  PluginState,
  PluginStats,
  PluginVersion,
  ReloadResult,
} from '../protocol/report.ts';
import type { Call, CallRequest } from './call.ts';
import type { Diagnosis } from './diagnosis.ts';
import { Estate } from './estate.ts';
import type { Managed } from './group-member.ts';
import type { Actor, Keeper, Version } from './keeper.ts';
import type { GroupOrder, Intent, Phase, Verb } from './machine.ts';
import { CallOff, runReload, type ReloadScope, type Tried } from './reload-run.ts';
import { bringUp, intentOf, letGo } from './replacement.ts';
import type { Overseer, SupervisorOptions } from './surroundings.ts';
import { Tenure } from './tenure.ts';
import { TurnQueue } from './turn-queue.ts';

export interface SuccessionOptions {
  plan: PluginPlan;
  /** @param replicas how many the version before has. */
  create: (
    plan: PluginPlan,
    options: Required<Pick<SupervisorOptions, 'emit' | 'estate'>>,
    replicas: number,
  ) => Version;
  /** What the plugin is to be now. Rejects with a PluginError where that is nothing that can be. */
  nextPlan(): Promise<PluginPlan>;
  /** The same error, or one that says more. */
  explain: (error: unknown, plan: PluginPlan) => Promise<unknown>;
  emit: SupervisorOptions['emit'];
}

export class Succession implements Keeper, Managed {
  readonly #options: SuccessionOptions;
  readonly #estate: Estate;
  readonly #reloads = new TurnQueue(() => this.#reload());
  readonly #verbs = new Set<Promise<void>>();
  readonly #leaving = new Map<Tenure, Promise<void>>();
  #present: Tenure;
  #overseer: Overseer | undefined;
  #off: CallOff | undefined;
  #aim: Intent | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
    this.#estate = new Estate(options.plan.limits);
    this.#present = this.#create(options.plan, 1);
    this.#present.at = 'present';
  }

  get id(): string {
    return this.plan.metadata.id;
  }

  get plan(): PluginPlan {
    return this.#version.plan;
  }

  get state(): PluginState {
    return this.#version.state;
  }

  get generation(): number {
    return this.#version.generation || this.#estate.generation;
  }

  /** Calls that keep it busy or wait for it. */
  get load(): number {
    return this.#version.actors.reduce((sum, { dispatcher }) => sum + dispatcher.load, 0);
  }

  get phase(): Phase {
    return this.#actor.phase;
  }

  get overseer(): Overseer | undefined {
    return this.#overseer;
  }

  set overseer(overseer: Overseer | undefined) {
    this.#overseer = overseer;
    for (const actor of this.#version.actors) actor.overseer = overseer;
  }

  /** A group's orders do not queue: a reload gives way. */
  order(order: GroupOrder): void {
    this.#callOff();
    this.#actor.order(order);
  }

  /** Verbs wait for a reload; those that end the plugin end it, too. */
  async perform(verb: Verb): Promise<void> {
    this.#aim = undefined;
    const isEnd = verb === 'stop' || verb === 'unload';
    while (this.#reloads.isBusy) {
      if (isEnd) this.#callOff();
      await this.#reloads.settled();
    }
    const leaving = verb === 'unload' ? [...this.#leaving] : [];
    for (const [tenure] of leaving) tenure.hurry();
    const performed = this.#version.perform(verb);
    this.#verbs.add(performed);
    try {
      await performed;
    } finally {
      this.#verbs.delete(performed);
      await Promise.all(leaving.map(([, left]) => left));
    }
  }

  reload(): Promise<ReloadResult> {
    return this.#reloads.ask();
  }

  aim(intent: Intent): void {
    this.#aim = intent;
  }

  accept(request: CallRequest): Call | undefined {
    return this.#present.version.accept(request);
  }

  health(): Promise<HealthReport> {
    return this.#version.health();
  }

  async stats(): Promise<PluginStats> {
    const stats = await this.#version.stats();
    const { calls } = stats;
    for (const [{ version }] of this.#leaving) {
      for (const { dispatcher } of version.actors) {
        calls.inFlight += dispatcher.inFlight;
        calls.queued += dispatcher.queued;
      }
    }
    return stats;
  }

  deadLetters(): DeadLetter[] {
    return this.#estate.deadLetters.list();
  }

  diagnosisOf(replica: number): Diagnosis | undefined {
    return this.#version.diagnosisOf(replica);
  }

  close(): void {
    this.#version.close();
  }

  get #version(): Version {
    return this.#present.version;
  }

  get #actor(): Actor {
    const [actor] = this.#version.actors;
    if (!actor) throw new TypeError(`${this.id} has no actor`);
    return actor;
  }

  #create(plan: PluginPlan, replicas: number): Tenure {
    const { create, emit } = this.#options;
    const estate = this.#estate;
    return new Tenure((told) => create(plan, { emit: told, estate }, replicas), emit);
  }

  #callOff(): void {
    const what = `the reload of ${this.id} was called off: the plugin was to stop`;
    this.#off?.call(new PluginError('PLUGIN_STOPPED', what, { pluginId: this.id }));
  }

  async #reload(): Promise<ReloadResult> {
    const off = new CallOff();
    this.#off = off;
    try {
      while (this.#verbs.size > 0 && !off.error) {
        await off.race(Promise.allSettled(this.#verbs)).catch(() => undefined);
      }
      return await runReload(this.#scope(off), off);
    } finally {
      this.#off = undefined;
    }
  }

  #scope(off: CallOff): ReloadScope {
    const tell: ReloadScope['tell'] = (event) => {
      this.#options.emit(event, this.generation);
    };
    return {
      id: this.id,
      from: this.#mark(this.#version),
      how: this.plan.reload,
      tell,
      attempt: async (attempt, trying) => {
        const old = this.#version;
        this.#refuseParked();
        const plan = await off.race(this.#options.nextPlan());
        while (this.#leaving.size >= LEAVING_VERSIONS_MAX) {
          await off.race(Promise.race(this.#leaving.values()));
        }
        const coming = this.#create(plan, old.actors.length);
        const next = coming.version;
        trying(this.#mark(next), plan.reload);
        const step = <T>(work: Promise<T>): Promise<T> => off.race(work, coming.broken);
        try {
          coming.watch();
          const statePreserved = await bringUp({
            old,
            next,
            step,
            tell,
            intent: this.#aim ?? intentOf(old),
          });
          const tooLate = off.error ?? coming.failure;
          if (tooLate) throw tooLate;
          return this.#switchTo(coming, statePreserved);
        } catch (failure) {
          letGo(old);
          // what ended it says more than what was missed after that
          const error = await this.#options.explain(coming.failure ?? failure, plan);
          const to = this.#mark(next);
          trying(to, plan.reload);
          await coming.end();
          tell({ type: 'rolled-back', to, attempt, error: asPluginError(error, this.id) });
          throw error;
        }
      },
    };
  }

  #switchTo(coming: Tenure, statePreserved: boolean): Tried {
    const leaving = this.#present;
    const [old, next] = [leaving.version, coming.version];
    const from = old.state;
    for (const actor of old.actors) actor.overseer = this.#inheritor(actor);
    for (const actor of next.actors) actor.overseer = this.#overseer;
    next.inherit(old);
    leaving.at = 'leaving';
    coming.at = 'present';
    this.#present = coming;
    this.#aim = undefined;
    if (next.state !== from) {
      const change = { type: 'state-changed', from, to: next.state } as const;
      this.#options.emit(change, this.generation);
    }
    for (const actor of old.actors) this.#moveCalls(actor);
    // a call whose buffers have moved there can begin nowhere else
    letGo(old);
    this.#overseer?.changed();
    const left = leaving.leave().then(() => {
      this.#leaving.delete(leaving);
    });
    this.#leaving.set(leaving, left);
    return { to: this.#mark(next), statePreserved };
  }

  /** A version that crashes while it leaves does not come back; what it gave back goes to the present one. */
  #inheritor(actor: Actor): Overseer {
    return {
      ended: () => {
        this.#moveCalls(actor);
      },
      changed: () => undefined,
    };
  }

  #moveCalls({ dispatcher }: Actor): void {
    for (const call of dispatcher.handOver()) this.#version.adopt(call);
  }

  #mark({ plan, generation }: Version): PluginVersion {
    const { version } = plan.metadata;
    return { version, generation: generation || this.#estate.generation };
  }

  #refuseParked(): void {
    if (!this.#version.actors.some(({ isParked }) => isParked)) return;
    throw new PluginError(
      'INVALID_STATE',
      `a call of ${this.id} stands still at a checkpoint; resume or stop the plugin first`,
      { pluginId: this.id, data: { state: this.state } },
    );
  }
}

function asPluginError(error: unknown, pluginId: string): PluginError {
  if (error instanceof PluginError) return error;
  return new PluginError('RELOAD_FAILED', String(error), { pluginId, cause: error });
}
