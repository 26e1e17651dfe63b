/** The kernel's statistics as the rows that are shown, one for each plugin. Never keeps a history. */
import type { PluginManager, PluginStats } from 'troupe';

export interface PluginRow {
  readonly plugin: string;
  readonly state: PluginStats['state'];
  readonly generation: number;
  readonly restarts: number;
  readonly done: number;
  readonly inFlight: number;
  readonly queued: number;
  /** Accepted until settled; that of `parse` includes the other actors' work on the document. */
  readonly p50Ms: number;
  /** 0 to 1, of its thread since the last question. */
  readonly cpu: number;
}

/** Remembers of each plugin how busy its thread was on the average, for the table that stays. */
export class PluginWatch {
  readonly #manager: PluginManager;
  readonly #busy = new Map<string, { sum: number; samples: number }>();

  constructor(manager: PluginManager) {
    this.#manager = manager;
  }

  /** As it is now. */
  async rows(): Promise<PluginRow[]> {
    const stats = await this.#manager.statsAll();
    return Array.from(stats, ([plugin, of]) => rowOf(plugin, of, this.#count(plugin, of).now));
  }

  /** As `rows`, but `cpu` is the mean of all samples. */
  async finalRows(): Promise<PluginRow[]> {
    const stats = await this.#manager.statsAll();
    return Array.from(stats, ([plugin, of]) => rowOf(plugin, of, this.#count(plugin, of).mean));
  }

  #count(plugin: string, { cpu }: PluginStats): { now: number; mean: number } {
    const busy = this.#busy.get(plugin) ?? { sum: 0, samples: 0 };
    busy.sum += cpu.utilization;
    busy.samples++;
    this.#busy.set(plugin, busy);
    return { now: cpu.utilization, mean: busy.sum / busy.samples };
  }
}

function rowOf(plugin: string, stats: PluginStats, cpu: number): PluginRow {
  const { state, generation, restarts, latencyMs } = stats;
  const { succeeded: done, inFlight, queued } = stats.calls;
  return { plugin, state, generation, restarts, done, inFlight, queued, p50Ms: latencyMs.p50, cpu };
}
