/** The plugin, up and running in as many threads as are asked for, with a manager of its own. */
import type { PluginManager, PluginSpec } from '../../index.ts';
import { failure } from '../cli-error.ts';

export interface CrewOptions {
  spec: PluginSpec;
  companions: readonly PluginSpec[];
  threads: number;
  /** The plugin is `failed`: its restart policy gave up. */
  onGaveUp: (message: string) => void;
}

export interface Vitals {
  /** 0 to 1: the busy share of its threads since the last look; `undefined` where they did not say. */
  busy: number | undefined;
  memoryBytes: number | undefined;
}

export class Crew {
  readonly manager: PluginManager;
  /** One for each copy; a pool is one. */
  readonly ids: readonly string[];
  /** Lives that ended unasked, until now. */
  crashes = 0;
  #lastCrash = 'it crashed';

  constructor(manager: PluginManager, ids: readonly string[], onGaveUp: CrewOptions['onGaveUp']) {
    this.manager = manager;
    this.ids = ids;
    manager.on('crashed', ({ crash }) => {
      this.crashes++;
      this.#lastCrash = `${crash.reason}: ${crash.message}`;
    });
    manager.on('gave-up', ({ id }) =>
      onGaveUp(
        `${id} gave up after ${this.#ends()}: ${this.#lastCrash}; --logs shows what it logs`,
      ),
    );
  }

  async vitals(): Promise<Vitals> {
    const stats = (await Promise.all(this.ids.map((id) => this.manager.stats(id)))).flatMap(
      (each) => each ?? [],
    );
    const memory = stats.flatMap((each) => each.memory ?? []);
    return {
      busy:
        stats.length === 0
          ? undefined
          : sum(stats.map(({ cpu }) => cpu.utilization)) / stats.length,
      memoryBytes:
        memory.length < this.ids.length
          ? undefined
          : sum(memory.map((each) => each.heapUsedBytes + each.externalBytes)),
    };
  }

  #ends(): string {
    return `${String(this.crashes)} crash${this.crashes === 1 ? '' : 'es'}`;
  }
}

/** Makes it and brings it up. The caller closes its manager, also where this rejects. */
export async function callUp(manager: PluginManager, options: CrewOptions): Promise<Crew> {
  const specs = copiesOf(options.spec, options.threads);
  const crew = new Crew(
    manager,
    specs.map(({ id }) => id),
    options.onGaveUp,
  );
  for (const spec of [...options.companions, ...specs]) await manager.register(spec);
  try {
    await manager.up();
  } catch (error) {
    throw failure(whyOf(error), error);
  }
  return crew;
}

/**
 * A pool has threads of its own; anything else is registered once for each. How many there are is
 * not the manifest's to say here.
 */
export function copiesOf(spec: PluginSpec, threads: number): PluginSpec[] {
  const { replicas: _, threads: __, ...one } = spec;
  if (spec.isolation === 'pool') return [{ ...one, threads }];
  return Array.from({ length: threads }, (_each, i) =>
    i === 0 ? one : { ...one, id: `${spec.id}-${String(i + 1)}` },
  );
}

/** Copies fail for the same reason: the first says it. */
function whyOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
