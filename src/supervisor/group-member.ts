/** A child of a group: a plugin here, or another group (group.ts). The group sees no difference. */
import { PluginError } from '../protocol/errors.ts';
import type { RestartOptions } from '../protocol/limits.ts';
import type { PluginState } from '../protocol/report.ts';
import type { ChildStatus } from './group-policy.ts';
import type { Keeper } from './keeper.ts';
import type { EndReport, GroupOrder, Phase } from './machine.ts';
import { isWanted } from './restart-policy.ts';
import type { Overseer } from './surroundings.ts';

/** What became of a child that was to come up: it did, it ended on the way, or nobody wants it now. */
export type Arrival = { is: 'up' } | { is: 'ended'; report: EndReport } | { is: 'gone' };

export interface Member {
  readonly id: string;
  readonly restart: RestartOptions;
  readonly status: ChildStatus;
  readonly state: PluginState;
  readonly generation: number;
  /** Started with its group. */
  readonly autoStart: boolean;
  /** Hears of every end that nobody ordered; set by its group. */
  onEnd: (report: EndReport) => void;
  /** From nothing, as by hand. Rejects where it does not come up. */
  start(): Promise<void>;
  /** Stops; calls wait. Settles when it stands still. Never rejects, as the next three. */
  halt(): Promise<void>;
  revive(): Promise<Arrival>;
  /** Not to come back: what waits is rejected. */
  fail(error: PluginError): void;
  /** By hand: what waits is rejected. Rejects where it had to be forced. */
  stop(): Promise<void>;
}

/** The plugin of a child: one actor, whose restarts are the group's to decide. */
export interface Managed extends Pick<Keeper, 'id' | 'plan' | 'state' | 'generation' | 'perform'> {
  readonly phase: Phase;
  overseer: Overseer | undefined;
  order(order: GroupOrder): void;
}

export class PluginMember implements Member {
  readonly supervisor: Managed;
  onEnd: (report: EndReport) => void = () => undefined;
  readonly #refuseStart: () => PluginError | undefined;
  readonly #watchers = new Set<() => void>();
  /** Why it waits, where it ended by itself. */
  #report: EndReport | undefined;
  #finished = false;

  /** @param refuseStart says why it may not start: a dependency is missing. */
  constructor(supervisor: Managed, refuseStart: () => PluginError | undefined) {
    this.supervisor = supervisor;
    this.#refuseStart = refuseStart;
    supervisor.overseer = {
      ended: (report) => {
        this.#report = report;
        this.#finished = !isWanted(this.restart.type, report.end);
        this.onEnd(report);
      },
      changed: () => {
        for (const watcher of this.#watchers) watcher();
      },
    };
  }

  get id(): string {
    return this.supervisor.id;
  }

  get restart(): RestartOptions {
    return this.supervisor.plan.restart;
  }

  get autoStart(): boolean {
    const { enabled, autoStart } = this.supervisor.plan;
    return enabled && autoStart;
  }

  get state(): PluginState {
    return this.supervisor.state;
  }

  get generation(): number {
    return this.supervisor.generation;
  }

  get status(): ChildStatus {
    const { phase } = this.supervisor;
    if (isServing(phase) || phase.at === 'restarting') return 'up';
    const isDown = phase.at === 'unloaded' || phase.at === 'failed';
    return this.#finished && isDown ? 'finished' : 'stopped';
  }

  async start(): Promise<void> {
    const refusal = this.#refuseStart();
    if (refusal) throw refusal;
    this.#forgetEnd();
    if (this.state === 'failed') await this.supervisor.perform('unload');
    for (const verb of ['load', 'init', 'start'] as const) await this.supervisor.perform(verb);
  }

  async halt(): Promise<void> {
    if (!isWaiting(this.supervisor.phase)) this.#report = undefined;
    this.supervisor.order({ type: 'halt' });
    await this.#until((phase) =>
      phase.at === 'restarting' && phase.step === 'halting' ? undefined : true,
    );
  }

  revive(): Promise<Arrival> {
    this.#forgetEnd();
    this.supervisor.order({ type: 'revive' });
    return this.#until((phase): Arrival | undefined => {
      if (isServing(phase)) return { is: 'up' };
      const isDown = phase.at === 'failed' || isWaiting(phase);
      if (phase.at === 'restarting' && !isDown) return undefined;
      return isDown && this.#report ? { is: 'ended', report: this.#report } : { is: 'gone' };
    });
  }

  /** One that ended by itself fails with its own error; a thread that was left by hand ends, too. */
  fail(why: PluginError): void {
    const error = this.#report?.error ?? stoppedBy(why, this.id);
    this.supervisor.order({ type: 'give-up', error });
    if (this.state === 'failed' || this.state === 'unloaded') return;
    this.supervisor.perform('unload').catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#forgetEnd();
    await this.supervisor.perform('unload');
  }

  #forgetEnd(): void {
    this.#report = undefined;
    this.#finished = false;
  }

  /** What `look` finds in the phase, as soon as it finds anything. */
  #until<T>(look: (phase: Phase) => T | undefined): Promise<T> {
    const now = look(this.supervisor.phase);
    if (now !== undefined) return Promise.resolve(now);
    return new Promise((resolve) => {
      const watcher = (): void => {
        const found = look(this.supervisor.phase);
        if (found === undefined) return;
        this.#watchers.delete(watcher);
        resolve(found);
      };
      this.#watchers.add(watcher);
    });
  }
}

function isServing({ at }: Phase): boolean {
  return at === 'running' || at === 'paused' || at === 'pausing' || at === 'resuming';
}

function isWaiting(phase: Phase): boolean {
  return phase.at === 'restarting' && phase.step === 'waiting';
}

function stoppedBy(cause: PluginError, pluginId: string): PluginError {
  return new PluginError('PLUGIN_STOPPED', `${pluginId} was stopped: ${cause.message}`, {
    pluginId,
    data: cause.data,
    cause,
  });
}
