/**
 * A group of children under one strategy and one budget: a node of the supervision tree. It
 * performs what group-policy.ts decides. A group is itself a member, so groups nest.
 *
 * Whatever the user asks goes straight to the child and never waits for a round of restarts; a
 * round looks again at each step. `#epoch` says that the group was told something else meanwhile.
 */
import type { PluginError } from '../protocol/errors.ts';
import { DEFAULT_RESTART, type RestartOptions } from '../protocol/limits.ts';
import type { PluginState } from '../protocol/report.ts';
import { gaveUp, reportOf, stopped } from './group-end.ts';
import type { Arrival, Member } from './group-member.ts';
import { STATE_OF, type GroupMode } from './group-mode.ts';
import { decideGroup, type ChildStatus, type GroupBudget } from './group-policy.ts';
import { Rounds } from './group-round.ts';
import type { EndReport } from './machine.ts';
import { NO_RESTARTS, type RestartHistory } from './restart-policy.ts';

export interface GroupEvents {
  restarting(member: Member, delayMs: number, group: string): void;
  /** A nested group is up again. */
  restarted(group: Group): void;
  gaveUp(group: Group, why: string): void;
}

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
  readonly #rounds = new Rounds(() => this.#members);
  #mode: GroupMode = 'unloaded';
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
    return STATE_OF[this.#mode];
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
    this.#events.restarted(this);
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

  #enter(mode: GroupMode): void {
    this.#mode = mode;
    this.#epoch++;
    this.#arriving = undefined;
    this.#rounds.cancel();
  }

  #ended(member: Member, report: EndReport): void {
    switch (this.#mode) {
      case 'starting':
        // whoever waits for its arrival sees to it
        if (member !== this.#arriving) this.#deferred.push({ member, report });
        return;
      case 'running':
        if (this.#holds > 0 || this.#rounds.stops(member.id)) return;
        this.#decide(member, report);
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
        this.#rounds.begin(decision);
    }
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

  /** Unless the group is told something else meanwhile. */
  async #haltAll(): Promise<void> {
    const epoch = this.#epoch;
    for (const member of this.#members.toReversed()) {
      if (this.#epoch === epoch) await member.halt();
    }
  }

  #failed(): void {
    if (this.#mode !== 'closed') this.#enter('failed');
    const error = this.#error ?? stopped(this.id);
    for (const member of this.#members.toReversed()) member.fail(error);
  }
}
