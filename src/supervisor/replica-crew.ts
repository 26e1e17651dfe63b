/**
 * Which replicas there are: the members, that serve, and those that come or go. A replica that
 * is not needed any more stays known, without a life, and is the next to come.
 */
import type { ReplicaBounds } from '../protocol/manifest.ts';
import { TO_RUNNING } from './replica-state.ts';
import type { Replica } from './replica.ts';

export interface CrewOptions {
  bounds: ReplicaBounds;
  /** How many there are at first. */
  first: number;
  create(replica: number): Replica;
  /** There are more or fewer members now. */
  resized(from: number, to: number): void;
  /** One did not come up, or did not end in good order. */
  failed(replica: Replica, error: unknown): void;
}

export class Crew {
  readonly #options: CrewOptions;
  readonly #all: Replica[] = [];
  #members: Replica[] = [];
  readonly #moves = new Map<Replica, Promise<void>>();
  readonly #coming = new Set<Replica>();

  constructor(options: CrewOptions) {
    this.#options = options;
    while (this.#members.length < options.first) this.#members.push(this.#next());
  }

  /** In the order of their numbers. */
  get members(): readonly Replica[] {
    return this.#members;
  }

  /** All that ever were: what they counted stays counted. */
  get all(): readonly Replica[] {
    return this.#all;
  }

  /** Brings replicas up, or lets one without calls go; not while others come or go. */
  resize(to: number): void {
    if (this.#moves.size > 0) return;
    const missing = to - this.#members.length;
    for (let i = 0; i < missing; i++) {
      const replica = this.#next();
      this.#coming.add(replica);
      this.#move(replica, this.#come(replica));
    }
    const spare = missing < 0 ? this.#spare() : undefined;
    if (!spare) return;
    this.#replace(this.#members.filter((member) => member !== spare));
    this.#move(spare, spare.supervisor.perform('unload'));
  }

  /** Who is on the way turns back; settles when nobody is on the way any more. */
  async callOff(): Promise<void> {
    const coming = [...this.#coming];
    this.#coming.clear();
    const back = coming.map((replica) => replica.supervisor.perform('unload').catch(nothing));
    await Promise.all([...back, ...this.#moves.values()]);
  }

  /** As many as at first; all are unloaded. */
  reset(): void {
    this.#replace(this.#all.slice(0, this.#options.bounds.min));
  }

  /** One that failed is no loss; of those without calls, the last. */
  #spare(): Replica | undefined {
    const idle = this.#members.filter((member) => member.load === 0);
    return idle.find(({ state }) => state === 'failed') ?? idle.at(-1);
  }

  async #come(replica: Replica): Promise<void> {
    try {
      for (const verb of TO_RUNNING) {
        if (this.#coming.has(replica)) await replica.supervisor.perform(verb);
      }
    } catch (error) {
      if (this.#coming.delete(replica)) this.#options.failed(replica, error);
      await replica.supervisor.perform('unload');
    }
    if (!this.#coming.delete(replica)) return;
    this.#replace([...this.#members, replica].toSorted((a, b) => a.replica - b.replica));
  }

  #move(replica: Replica, move: Promise<void>): void {
    const done = move
      .catch((error: unknown) => {
        this.#options.failed(replica, error);
      })
      .finally(() => this.#moves.delete(replica));
    this.#moves.set(replica, done);
  }

  /** The first that is at home, or a new one. */
  #next(): Replica {
    const home = this.#all.find(
      (replica) => !this.#members.includes(replica) && !this.#moves.has(replica),
    );
    if (home) return home;
    const replica = this.#options.create(this.#all.length);
    this.#all.push(replica);
    return replica;
  }

  #replace(members: Replica[]): void {
    const from = this.#members.length;
    this.#members = members;
    if (members.length !== from) this.#options.resized(from, members.length);
  }
}

function nothing(): void {
  // whoever moved it hears of it
}
