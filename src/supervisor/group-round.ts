/**
 * One round of restarts: stops some children of a group in reverse order, waits, and brings some
 * back in order. A child that does not come up ends the round; its group makes a new one.
 */
import type { Member } from './group-member.ts';

export interface RoundScope {
  stop: Iterable<string>;
  start: Iterable<string>;
  delayMs: number;
}

class Round {
  readonly stop: ReadonlySet<string>;
  readonly start: ReadonlySet<string>;
  readonly #delayMs: number;
  #step: 'stopping' | 'starting' | 'over' = 'stopping';
  #cancelled = false;
  #wake = (): void => undefined;

  constructor({ stop, start, delayMs }: RoundScope) {
    this.stop = new Set(stop);
    this.start = new Set(start);
    this.#delayMs = delayMs;
  }

  isToStop(id: string): boolean {
    return this.#step === 'stopping' && this.stop.has(id);
  }

  overlaps(other: Round): boolean {
    return [...this.stop, ...this.start].some((id) => other.stop.has(id) || other.start.has(id));
  }

  cancel(): void {
    this.#cancelled = true;
    this.#wake();
  }

  /** @param members in start order, asked again at each step: they come and go meanwhile. */
  async run(members: () => readonly Member[]): Promise<void> {
    // the step that reported the end is over first
    await Promise.resolve();
    for (const member of only(members(), this.stop).toReversed()) {
      if (this.#cancelled) return;
      if (member.restart.type === 'temporary') await member.stop().catch(() => undefined);
      else await member.halt();
    }
    if (this.#delayMs > 0 && !this.#cancelled) await this.#delay();
    this.#step = 'starting';
    for (const { id } of only(members(), this.start)) {
      const member = members().find((each) => each.id === id);
      if (this.#cancelled) return;
      if (!member || member.status === 'stopped') continue;
      const arrival = await member.revive();
      if (arrival.is === 'ended') return;
    }
    this.#step = 'over';
  }

  #delay(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The rounds of one group that are under way. */
export class Rounds {
  readonly #rounds = new Set<Round>();
  readonly #members: () => readonly Member[];

  constructor(members: () => readonly Member[]) {
    this.#members = members;
  }

  /** A child that ends while it is to be stopped anyway disturbs nobody. */
  stops(id: string): boolean {
    return [...this.#rounds].some((round) => round.isToStop(id));
  }

  /** A round that is under way for some of the same children becomes part of the new one. */
  begin(scope: RoundScope): void {
    let round = new Round(scope);
    for (const other of this.#rounds) {
      if (!round.overlaps(other)) continue;
      other.cancel();
      this.#rounds.delete(other);
      const stop = [...round.stop, ...other.stop];
      const start = [...round.start, ...other.start];
      round = new Round({ stop, start, delayMs: scope.delayMs });
    }
    const mine = round;
    this.#rounds.add(mine);
    void mine.run(this.#members).finally(() => this.#rounds.delete(mine));
  }

  cancel(): void {
    for (const round of this.#rounds) round.cancel();
    this.#rounds.clear();
  }
}

function only(members: readonly Member[], ids: ReadonlySet<string>): readonly Member[] {
  return members.filter(({ id }) => ids.has(id));
}
