/** All series, by name and labels; bounded. */
import type { MetricLabels } from 'troupe/plugin';

import { keyOf, Series, type SeriesIdentity, type SeriesSnapshot } from './series.ts';
import type { Entry } from './tier.ts';
import type { Retention } from './types.ts';

/** A histogram takes the room of so many others. */
const HISTOGRAM_WEIGHT = 8;

export interface StoreOptions {
  retention: readonly Retention[];
  seriesMax: number;
}

export type Added = 'added' | 'full' | 'other-kind';

export class Store {
  /** Samples that found no room. */
  refused = 0;
  readonly #options: StoreOptions;
  readonly #byKey = new Map<string, Series>();
  readonly #byName = new Map<string, Set<Series>>();
  #weight = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(identity: Pick<SeriesIdentity, 'name' | 'labels'>): Series | undefined {
    return this.#byKey.get(keyOf(identity));
  }

  add(identity: SeriesIdentity, at: number, entry: Entry, plugin?: string): Added {
    const series = this.#seriesFor(identity, at);
    if (!series) {
      this.refused++;
      return 'full';
    }
    if (series.kind !== identity.kind) {
      this.refused++;
      return 'other-kind';
    }
    series.plugin = plugin;
    series.add(at, entry);
    return 'added';
  }

  /** Those of this name that have these labels, and maybe others. */
  find(name: string, labels: MetricLabels = {}): Series[] {
    return [...(this.#byName.get(name) ?? [])].filter((series) => series.has(labels));
  }

  all(): Series[] {
    return [...this.#byKey.values()];
  }

  /** Lets go what is too old, and series of which nothing is left. */
  forget(now: number): void {
    for (const [key, series] of this.#byKey) {
      const left = series.tiers.map((tier) => tier.forget(now));
      if (!left.includes(true)) this.#drop(key, series);
    }
  }

  snapshot(): SeriesSnapshot[] {
    return this.all().map((series) => series.snapshot());
  }

  restore(saved: readonly SeriesSnapshot[]): void {
    for (const each of saved) this.#keep(Series.restore(each, this.#options.retention));
  }

  #seriesFor(identity: SeriesIdentity, at: number): Series | undefined {
    const known = this.get(identity);
    if (known) return known;
    const weight = weightOf(identity);
    while (this.#weight + weight > this.#options.seriesMax) if (!this.#evict(at)) return undefined;
    const series = new Series(identity, this.#options.retention);
    this.#keep(series);
    return series;
  }

  /** The one that has been silent longest goes, if the finest resolution has nothing of it any more. */
  #evict(now: number): boolean {
    const keepMs = this.#options.retention[0]?.keepMs ?? 0;
    let stalest: Series | undefined;
    for (const series of this.#byKey.values()) {
      if (series.lastAt < (stalest?.lastAt ?? now - keepMs)) stalest = series;
    }
    if (stalest) this.#drop(keyOf(stalest), stalest);
    return stalest !== undefined;
  }

  #keep(series: Series): void {
    const { name } = series;
    this.#byKey.set(keyOf(series), series);
    this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(series));
    this.#weight += weightOf(series);
  }

  #drop(key: string, series: Series): void {
    const namesakes = this.#byName.get(series.name);
    namesakes?.delete(series);
    if (namesakes?.size === 0) this.#byName.delete(series.name);
    this.#byKey.delete(key);
    this.#weight -= weightOf(series);
  }
}

function weightOf({ kind }: Pick<SeriesIdentity, 'kind'>): number {
  return kind === 'histogram' ? HISTOGRAM_WEIGHT : 1;
}
