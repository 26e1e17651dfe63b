/**
 * A group of children under one strategy and one budget: a node of the supervision tree. It
 * performs what group-policy.ts decides. A group is itself a member, so groups nest.
 *
 * Whatever the user asks goes straight to the child and never waits for a round of restarts; a
 * round looks again at each step. `#epoch` says that the group was told something else meanwhile.
 */
import { PluginError } from '../protocol/errors.ts';
import { DEFAULT_RESTART, type RestartOptions } from '../protocol/limits.ts';
import type { PluginState } from '../protocol/report.ts';
import type { Arrival, Member } from './group-member.ts';
import { decideGroup, type ChildStatus, type GroupBudget } from './group-policy.ts';
import { Round, type RoundScope } from './group-round.ts';
import type { EndReport } from './machine.ts';
import { NO_RESTARTS, type RestartHistory } from './restart-policy.ts';

export interface GroupEvents {
  restarting(member: Member, delayMs: number, group: string): void;
  gaveUp(group: Group, why: string): void;
}

/** `halted`: its parent decides. `failed`: it gave up, and nobody is above it. */
type Mode = 'unloaded' | 'starting' | 'running' | 'giving-up' | 'halted' | 'failed' | 'closed';

export class Group implements Member {
  readonly id: string;
  readonly restart: RestartOptions = DEFAULT_RESTART;
  readonly autoStart = true;
  /** Set by the group above; the top one has none. */
  onEnd: (report: EndReport) => void = () => {
    this.#failed();
  };
  readonly #budget: GroupBudget;
  readonly #events: GroupEvents;
  readonly #members: Member[] = [];
  readonly #rounds = new Set<Round>();
  #mode: Mode = 'unloaded';
  #epoch = 0;
  #generation = 0;
  #history: RestartHistory = NO_RESTARTS;
  /** Who comes up now, while the group starts. */
  #arriving: Member | undefined;
  /** Ends of those that were up already. */
  #deferred: { member: Member; report: EndReport }[] = [];
  #error: PluginError | undefined;
  #holds = 0;

  constructor(id: string, budget: GroupBudget, events: GroupEvents) {
    this.id = id;
    this.#budget = budget;
    this.#events = events;
  }

  /** In start order. */
  get members(): readonly Member[] {
    return this.#members;
  }

  get isOver(): boolean {
    return this.#mode === 'failed' || this.#mode === 'closed';
  }

  get status(): ChildStatus {
    return this.#mode === 'unloaded' || this.isOver ? 'stopped' : 'up';
  }

  get state(): PluginState {
    return STATES[this.#mode];
  }

  get generation(): number {
    return this.#generation;
  }

  add(member: Member): void {
    member.onEnd = (report) => {
      this.#ended(member, report);
    };
    this.#members.push(member);
  }

  /** Whoever it is, it is no child of the group any more. */
  drop(id: string): void {
    const at = this.#members.findIndex((member) => member.id === id);
    if (at >= 0) this.#members.splice(at, 1);
  }

  /** Restarts nobody from here on, for good, nor do groups below. */
  close(): void {
    this.#enter('closed');
    for (const member of this.#members) if (member instanceof Group) member.close();
  }

  /** While everything is stopped or unloaded from outside: nobody is restarted, whoever ends. */
  hold(): void {
    this.#holds++;
    if (this.status === 'up') this.#enter('running');
  }

  release(): void {
    this.#holds--;
  }

  async start(): Promise<void> {
    const epoch = this.#begin();
    const started: Member[] = [];
    try {
      for (const member of this.#members.slice()) {
        if (this.#epoch !== epoch) throw stopped(this.id);
        if (!member.autoStart) continue;
        started.push(member);
        this.#arriving = member;
        await member.start();
      }
    } catch (error) {
      if (this.#epoch === epoch) this.#enter('unloaded');
      for (const member of started.toReversed()) await member.stop().catch(() => undefined);
      throw error;
    }
    this.#started();
  }

  async halt(): Promise<void> {
    if (this.status !== 'up') return;
    this.#enter('halted');
    await this.#haltAll();
  }

  /** A new life of the group, with a new budget. Like any child, it may fail to come up. */
  async revive(): Promise<Arrival> {
    if (this.#mode !== 'halted') return this.#mode === 'running' ? { is: 'up' } : { is: 'gone' };
    const epoch = this.#begin();
    for (const member of this.#members.slice()) {
      if (member.status === 'stopped') continue;
      this.#arriving = member;
      const arrival = await member.revive();
      if (this.#epoch !== epoch) return { is: 'gone' };
      if (arrival.is !== 'ended') continue;
      await this.#endWith(arrival.report.error);
      return { is: 'ended', report: reportOf(arrival.report.error) };
    }
    this.#started();
    return { is: 'up' };
  }

  fail(error: PluginError): void {
    this.#error ??= error;
    this.#failed();
  }

  async stop(): Promise<void> {
    if (!this.isOver) this.#enter('unloaded');
    const errors: unknown[] = [];
    for (const member of this.#members.toReversed()) {
      await member.stop().catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  }

  #begin(): number {
    this.#enter('starting');
    this.#generation++;
    this.#history = NO_RESTARTS;
    this.#error = undefined;
    this.#deferred = [];
    return this.#epoch;
  }

  #started(): void {
    this.#mode = 'running';
    this.#arriving = undefined;
    for (const { member, report } of this.#deferred.splice(0)) this.#ended(member, report);
  }

  #enter(mode: Mode): void {
    this.#mode = mode;
    this.#epoch++;
    this.#arriving = undefined;
    for (const round of this.#rounds) round.cancel();
    this.#rounds.clear();
  }

  #ended(member: Member, report: EndReport): void {
    switch (this.#mode) {
      case 'starting':
        // whoever waits for its arrival sees to it
        if (member !== this.#arriving) this.#deferred.push({ member, report });
        return;
      case 'running':
        if (this.#holds === 0 && ![...this.#rounds].some((round) => round.isToStop(member.id))) {
          this.#decide(member, report);
        }
        return;
      case 'unloaded':
      case 'failed':
        // restarted by hand, without a group that could bring it back
        queueMicrotask(() => {
          member.fail(report.error);
        });
        return;
      default:
        // it waits, as the others do or will
        return;
    }
  }

  #decide(member: Member, { end, error, permanent }: EndReport): void {
    const ended = { id: member.id, end, permanent };
    const decision = decideGroup(this.#budget, this.#members, this.#history, ended, {
      now: performance.now(),
      random: Math.random,
    });
    switch (decision.do) {
      case 'nothing':
        return;
      case 'give-up':
        this.#enter('giving-up');
        this.#events.gaveUp(this, decision.why);
        void this.#endWith(gaveUp(this.id, decision.why, error));
        return;
      case 'restart':
        this.#history = decision.history;
        for (const id of decision.start) {
          const back = this.#members.find((each) => each.id === id);
          if (back) this.#events.restarting(back, decision.delayMs, this.id);
        }
        this.#restart(decision);
    }
  }

  /** A round that is under way for some of the same children is part of the new one. */
  #restart(scope: RoundScope): void {
    let round = new Round(scope);
    for (const other of this.#rounds) {
      if (!round.overlaps(other)) continue;
      other.cancel();
      this.#rounds.delete(other);
      const stop = new Set([...round.stop, ...other.stop]);
      const start = new Set([...round.start, ...other.start]);
      round = new Round({ stop, start, delayMs: scope.delayMs });
    }
    const mine = round;
    this.#rounds.add(mine);
    void mine.run(() => this.#members).finally(() => this.#rounds.delete(mine));
  }

  /** All children are stopped in reverse, then whoever is above decides. */
  async #endWith(error: PluginError): Promise<void> {
    this.#enter('giving-up');
    const epoch = this.#epoch;
    this.#error = error;
    await this.#haltAll();
    if (this.#epoch !== epoch) return;
    this.#mode = 'halted';
    this.onEnd(reportOf(error));
  }

  async #haltAll(): Promise<void> {
    for (const member of this.#members.toReversed()) await member.halt();
  }

  #failed(): void {
    if (this.#mode !== 'closed') this.#enter('failed');
    const error = this.#error ?? stopped(this.id);
    for (const member of this.#members.toReversed()) member.fail(error);
  }
}

const STATES: Record<Mode, PluginState> = {
  'unloaded': 'unloaded',
  'starting': 'loading',
  'running': 'running',
  'giving-up': 'restarting',
  'halted': 'restarting',
  'failed': 'failed',
  'closed': 'unloaded',
};

/** A group that ends by itself always ends by a fault, and may do better next time. */
function reportOf(error: PluginError): EndReport {
  return { end: 'abnormal', error, permanent: false };
}

function gaveUp(group: string, why: string, cause: PluginError): PluginError {
  return new PluginError(
    'PLUGIN_STOPPED',
    `the group ${group} gave up (${why}): ${cause.message}`,
    {
      pluginId: cause.pluginId,
      data: { group, why },
      cause,
    },
  );
}

function stopped(group: string): PluginError {
  return new PluginError('PLUGIN_STOPPED', `the group ${group} was stopped`, { data: { group } });
}
