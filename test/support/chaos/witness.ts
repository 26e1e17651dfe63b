/** Hears every kernel event of a chaos run, and holds them against each other. */
import type { KernelEvent, KernelEventType, PluginManager } from 'troupe';

interface Biography {
  state: string;
  generation: number;
  /** Crashed, and nothing was told since. */
  crashedIn: string | undefined;
  /** The lives that ended by a crash. */
  crashed: Set<number>;
  counts: Partial<Record<KernelEventType, number>>;
}

/** States in which the next life is on its way: a crash there changes none. */
const ON_ITS_WAY = 'restarting';

export class Witness {
  readonly problems: string[] = [];
  readonly #lives = new Map<string, Biography>();

  constructor(manager: PluginManager) {
    manager.on('*', (event) => {
      this.#hear(event);
    });
  }

  count(type: KernelEventType, id?: string): number {
    const heard = id === undefined ? [...this.#lives.values()] : this.#all(id);
    return heard.reduce((sum, { counts }) => sum + (counts[type] ?? 0), 0);
  }

  hasCrashed(id: string, generation: unknown): boolean {
    if (typeof generation !== 'number') return false;
    return this.#all(id).some(({ crashed }) => crashed.has(generation));
  }

  #hear(event: KernelEvent): void {
    const life = this.#of(nameOf(event));
    life.counts[event.type] = (life.counts[event.type] ?? 0) + 1;
    if (event.type === 'warning' || event.type === 'log' || event.type === 'progress') return;
    const where = `${nameOf(event)} (life ${String(event.generation)})`;
    if (event.generation < life.generation && event.type !== 'registered') {
      this.problems.push(`${where}: ${event.type} was told in life ${String(life.generation)}`);
    }
    life.generation = Math.max(life.generation, event.generation);
    if (event.type === 'crashed') this.#crashed(life, event, where);
    if (event.type === 'state-changed' || event.type === 'replica-changed') {
      if (event.from !== life.state) {
        this.problems.push(`${where}: ${event.from} → ${event.to} after ${life.state}`);
      }
      life.state = event.to;
      life.crashedIn = undefined;
    }
    if (event.type === 'restarted' && life.crashedIn !== undefined) {
      this.problems.push(`${where}: restarted without a change of state after ${life.crashedIn}`);
    }
  }

  #crashed(life: Biography, event: KernelEvent<'crashed'>, where: string): void {
    if (life.crashed.has(event.generation)) this.problems.push(`${where}: crashed twice`);
    if (life.crashedIn !== undefined) {
      this.problems.push(`${where}: crashed, and again, and stayed ${life.crashedIn}`);
    }
    life.crashed.add(event.generation);
    life.crashedIn = life.state === ON_ITS_WAY ? undefined : life.state;
  }

  /** Of a plugin and its replicas. */
  #all(id: string): Biography[] {
    const names = [...this.#lives.keys()].filter(
      (name) => name === id || name.startsWith(`${id}/`),
    );
    return names.map((name) => this.#of(name));
  }

  #of(id: string): Biography {
    const known = this.#lives.get(id);
    if (known) return known;
    const life: Biography = {
      state: 'unloaded',
      generation: 0,
      crashedIn: undefined,
      crashed: new Set(),
      counts: {},
    };
    this.#lives.set(id, life);
    return life;
  }
}

/** Each replica has a story of its own, beside that of its plugin. */
function nameOf({ id, replica }: KernelEvent): string {
  return replica === undefined ? id : `${id}/${String(replica)}`;
}
