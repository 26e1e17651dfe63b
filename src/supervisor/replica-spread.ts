/**
 * Sees to it that no call waits for one replica while another could begin it. Calls that have
 * begun stay where they are, and so do those with a key, unless their replica is gone for good.
 */
import { SPREAD_MS } from '../protocol/limits.ts';
import type { Call } from './call.ts';
import { keyedTo, leastLoaded } from './replica-choice.ts';
import type { Replica } from './replica.ts';

export class Spread {
  readonly #members: () => readonly Replica[];
  #timer: NodeJS.Timeout | undefined;

  constructor(members: () => readonly Replica[]) {
    this.#members = members;
  }

  /** A call waits for a replica that is busy: in a moment, is another one free? */
  soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.now();
    }, SPREAD_MS).unref();
  }

  now(): void {
    const members = this.#members();
    const running = members.filter((member) => member.isRunning);
    if (running.length === 0 || members.length === 1) return;
    for (const member of members) {
      const isAway = member.state === 'restarting' || !member.isOpen;
      if (isAway && member.load > 0) this.#empty(member, members);
    }
    const idle = running.filter((member) => member.waiting < 0);
    // once nothing moves, what waits has to wait where it is
    idle.every((member) => fill(member, running));
    if (running.some((member) => member.waiting > 0)) this.soon();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #empty(from: Replica, members: readonly Replica[]): void {
    const running = members.filter((member) => member.isRunning);
    const goalOf = (call: Call): Replica | undefined => {
      const { affinity } = call.request;
      if (!affinity) return leastLoaded(running, 0, (to) => to.suits(call));
      const to = from.isOpen ? undefined : keyedTo(affinity, members);
      return to?.suits(call) ? to : undefined;
    };
    const given = from.dispatcher.give(Infinity, (call) => goalOf(call) !== undefined);
    // those before it may have taken the last room
    for (const call of given) (goalOf(call) ?? from).dispatcher.adopt(call);
  }
}

/** Gives a replica with room its share of what waits for a busy one; false where that is nothing. */
function fill(idle: Replica, running: readonly Replica[]): boolean {
  const mayGo = (call: Call): boolean => !call.request.affinity && idle.suits(call);
  for (const busy of running.toSorted((a, b) => b.load - a.load)) {
    if (busy.waiting <= 0) return false;
    const share = Math.max(1, Math.floor((busy.load - idle.load) / 2));
    const given = busy.dispatcher.give(Math.min(share, busy.waiting), mayGo);
    for (const call of given) idle.dispatcher.adopt(call);
    if (given.length > 0) return true;
  }
  return false;
}
