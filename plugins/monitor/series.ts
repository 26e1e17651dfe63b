/** A time series: a name with labels, and its samples at each resolution. */
import type { MetricLabels } from 'troupe/plugin';

import { Tier, type Entry, type Page } from './tier.ts';
import type { Retention, SeriesKind, SeriesListing } from './types.ts';

export interface SeriesIdentity {
  name: string;
  labels: MetricLabels;
  kind: SeriesKind;
}

export interface SeriesSnapshot extends SeriesListing {
  plugin: string | undefined;
  ended: boolean;
  tiers: { stepMs: number; pages: Page[] }[];
}

export class Series implements SeriesIdentity {
  readonly name: string;
  readonly labels: MetricLabels;
  readonly kind: SeriesKind;
  /** Finest first. */
  readonly tiers: readonly Tier[];
  /** Of which plugin it was pulled; recorded ones are nobody's. */
  plugin: string | undefined;
  /** Nothing comes of it any more: its plugin is gone, or does not have it in its present life. */
  ended = false;
  firstAt = 0;
  lastAt = 0;
  /** Of a counter its total. */
  last = 0;

  constructor({ name, labels, kind }: SeriesIdentity, retention: readonly Retention[]) {
    this.name = name;
    this.labels = labels;
    this.kind = kind;
    this.tiers = retention.map((each) => new Tier(each));
  }

  add(at: number, entry: Entry): void {
    if (this.firstAt === 0) this.firstAt = at;
    this.lastAt = Math.max(this.lastAt, at);
    this.last = entry.last;
    this.ended = false;
    for (const tier of this.tiers) tier.add(at, entry);
  }

  tierOf(fromMs: number, now: number): Tier | undefined {
    return reaching(this.tiers, fromMs, now);
  }

  has(labels: MetricLabels): boolean {
    return Object.entries(labels).every(([name, value]) => this.labels[name] === value);
  }

  list(): SeriesListing {
    const { name, labels, kind, firstAt, lastAt, last } = this;
    return { name, labels, kind, firstAt, lastAt, last };
  }

  snapshot(): SeriesSnapshot {
    const tiers = this.tiers.map((tier) => ({ stepMs: tier.stepMs, pages: tier.snapshot() }));
    return { ...this.list(), plugin: this.plugin, ended: this.ended, tiers };
  }

  /** Resolutions that are not kept any more are left out. */
  static restore(saved: SeriesSnapshot, retention: readonly Retention[]): Series {
    const series = new Series(saved, retention);
    const { plugin, ended, firstAt, lastAt, last } = saved;
    Object.assign(series, { plugin, ended, firstAt, lastAt, last });
    for (const tier of series.tiers) {
      tier.restore(saved.tiers.find(({ stepMs }) => stepMs === tier.stepMs)?.pages ?? []);
    }
    return series;
  }
}

/** The finest that goes back so far; the one that goes back farthest where none does. */
export function reaching<R extends Retention>(
  retention: readonly R[],
  fromMs: number,
  now: number,
): R | undefined {
  return retention.find(({ keepMs }) => keepMs >= now - fromMs) ?? retention.at(-1);
}

/** One text for a name and its labels, whatever their order. */
export function keyOf({ name, labels }: Pick<SeriesIdentity, 'name' | 'labels'>): string {
  const entries = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, ...entries]);
}
