/** Makes series of what the stats of all plugins say, look by look. */
import type { HistogramSample, MetricLabels, MetricSample, PluginStats } from 'troupe/plugin';

import { growthOf, histogramGrowth, type Continuity } from './growth.ts';
import { KERNEL_PREFIX, kernelSamples } from './kernel-samples.ts';
import { keyOf, type Series } from './series.ts';
import type { Store } from './store.ts';
import type { Entry } from './tier.ts';

/** Told by a thread that has more series than are kept. */
const DROPPED = 'troupe_metric_series_dropped';

type Level = number | HistogramSample;

/** What is remembered of a plugin from one look to the next. */
export interface Remembered {
  /** Which life it was. */
  life: string;
  /** What counters and histograms stood at. */
  kernel: Map<string, Level>;
  own: Map<string, Level>;
}

export interface CollectorSnapshot {
  looks: number;
  plugins: Map<string, Remembered>;
}

export class Collector {
  /** Looks so far. */
  looks = 0;
  #plugins = new Map<string, Remembered>();
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  collect(all: ReadonlyMap<string, PluginStats>, now: number): void {
    const said = new Map<string, ReadonlySet<Series>>();
    for (const [id, stats] of all) {
      const own = this.#look(id, stats, now);
      if (own) said.set(id, own);
    }
    for (const id of this.#plugins.keys()) if (!all.has(id)) this.#plugins.delete(id);
    for (const series of this.#store.all()) {
      const { plugin } = series;
      if (plugin === undefined) continue;
      const isGone = !isOfKernel(series) && said.get(plugin)?.has(series) === false;
      if (isGone || !all.has(plugin)) series.ended = true;
    }
    this.looks++;
  }

  snapshot(): CollectorSnapshot {
    return { looks: this.looks, plugins: this.#plugins };
  }

  restore({ looks, plugins }: CollectorSnapshot): void {
    this.looks = looks;
    this.#plugins = plugins;
  }

  /** Says which series of its own the plugin has now; `undefined` where it is too busy to say. */
  #look(id: string, stats: PluginStats, now: number): ReadonlySet<Series> | undefined {
    const life = `${String(stats.generation)} ${String(stats.startedAt)}`;
    const before = this.#plugins.get(id);
    // at the first look of all nobody knows for how long it has been there
    const first = this.looks === 0 ? 'unknown' : 'anew';
    const plugin: Remembered = before ?? { life, kernel: new Map(), own: new Map() };
    this.#plugins.set(id, plugin);
    const label = (sample: MetricSample): MetricSample => ({
      ...sample,
      labels: labelled(sample.labels, id),
    });
    for (const sample of kernelSamples(stats).map(label)) {
      this.#take(id, sample, plugin.kernel, before ? 'same' : first, now);
    }
    const isSum = stats.replicas !== undefined || stats.threads !== undefined;
    const since = !before ? first : isSum ? 'sum' : before.life === life ? 'same' : 'anew';
    const isNewLife = plugin.life !== life;
    // a thread that is too busy to say says nothing, and the life it is of is looked at next time
    const hasSaid = stats.memory !== undefined || stats.metrics.length > 0;
    if (!hasSaid && stats.startedAt !== undefined) return undefined;
    if (isNewLife && !isSum) plugin.own.clear();
    plugin.life = life;
    return this.#takeOwn(id, stats.metrics.map(label), plugin, since, now);
  }

  #takeOwn(
    id: string,
    samples: readonly MetricSample[],
    { own }: Remembered,
    since: Continuity,
    now: number,
  ): ReadonlySet<Series> {
    const told = new Set<Series>();
    const keys = new Set<string>();
    for (const sample of samples) {
      if (sample.name.startsWith(KERNEL_PREFIX) && sample.name !== DROPPED) {
        this.#store.refused++;
        continue;
      }
      this.#take(id, sample, own, since, now);
      keys.add(keyOf(sample));
      const series = this.#store.get(sample);
      if (series) told.add(series);
    }
    for (const key of own.keys()) if (!keys.has(key)) own.delete(key);
    return told;
  }

  #take(
    id: string,
    sample: MetricSample,
    levels: Map<string, Level>,
    since: Continuity,
    now: number,
  ): void {
    const key = keyOf(sample);
    const before = levels.get(key);
    let entry: Entry | undefined;
    if (sample.kind === 'gauge') entry = entryOf(sample.value);
    else if (sample.kind === 'counter') {
      const known = typeof before === 'number' ? before : undefined;
      const total = this.#store.get(sample)?.last ?? 0;
      entry = counted(growthOf(known, sample.value, since), total);
      levels.set(key, sample.value);
    } else {
      entry = histogramGrowth(typeof before === 'object' ? before : undefined, sample, since);
      levels.set(key, sample);
    }
    if (entry) this.#store.add(sample, now, entry, id);
  }
}

/** Of one value. */
export function entryOf(value: number): Entry {
  return { count: 1, sum: value, min: value, max: value, last: value };
}

/** Of a counter that grew by so much. */
export function counted(by: number, total: number): Entry {
  return { count: 1, sum: by, min: by, max: by, last: total + by };
}

/** As Prometheus does where a label is taken. */
function labelled(labels: MetricLabels, plugin: string): MetricLabels {
  const { plugin: own, ...others } = labels;
  return own === undefined ? { ...labels, plugin } : { ...others, exported_plugin: own, plugin };
}

function isOfKernel({ name }: Series): boolean {
  return name.startsWith(KERNEL_PREFIX) && name !== DROPPED;
}
