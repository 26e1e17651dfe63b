/** A monitor without its clock: series, rules and what is asked of them. */
import type { PluginStats } from 'troupe/plugin';

import { Collector, counted, entryOf, type CollectorSnapshot } from './collector.ts';
import { MonitorError } from './monitor-error.ts';
import { shownTarget } from './notifier.ts';
import { query } from './query.ts';
import { readInput } from './read-input.ts';
import type { SeriesSnapshot } from './series.ts';
import { Store } from './store.ts';
import type { Entry } from './tier.ts';
import type {
  Alert,
  MonitorConfig,
  MonitorOutput,
  NotifyTarget,
  Recording,
  Rule,
} from './types.ts';
import { Watch, type WatchSnapshot } from './watch.ts';

/** Every so often old samples are let go. */
const FORGET_EVERY_MS = 60_000;

export interface MonitorSnapshot {
  version: 1;
  series: SeriesSnapshot[];
  collector: CollectorSnapshot;
  watch: WatchSnapshot;
}

export interface MonitorOptions {
  config: MonitorConfig;
  /** Epoch ms; never steps back. */
  now: () => number;
  /** An alert began to fire, or was resolved. */
  tell: (alert: Alert, rule: Rule) => void;
}

export class Monitor {
  recorded = 0;
  readonly store: Store;
  readonly watch: Watch;
  readonly #config: MonitorConfig;
  readonly #now: () => number;
  readonly #collector: Collector;
  #forgotAt: number;

  constructor({ config, now, tell }: MonitorOptions) {
    this.#config = config;
    this.#now = now;
    this.store = new Store(config);
    this.watch = new Watch(this.store, tell);
    this.#collector = new Collector(this.store);
    this.#forgotAt = now();
    for (const rule of config.rules) this.watch.put(rule, now(), false);
  }

  collect(all: ReadonlyMap<string, PluginStats>): void {
    this.#collector.collect(all, this.#now());
  }

  /** Looks at the rules, and lets go what is too old. */
  look(): void {
    const now = this.#now();
    this.watch.look(now);
    if (now - this.#forgotAt < FORGET_EVERY_MS) return;
    this.#forgotAt = now;
    this.store.forget(now);
  }

  /** @throws MonitorError */
  execute(asked: unknown): MonitorOutput {
    const input = readInput(asked);
    const now = this.#now();
    switch (input.op) {
      case 'record':
        this.#record(input, now);
        return;
      case 'query':
        return query(this.store, this.#config.retention, input, now);
      case 'series': {
        const { name, labels } = input;
        const found =
          name === undefined
            ? this.store.all().filter((series) => series.has(labels ?? {}))
            : this.store.find(name, labels);
        return found.map((series) => series.list());
      }
      case 'rule': {
        const { op: _, ...rule } = input;
        return { name: rule.name, replaced: this.watch.put(rule, now, true) };
      }
      case 'rules':
        return this.watch.rules.map(withoutSecrets);
      case 'unrule':
        return this.watch.remove(input.name, now);
      case 'alerts':
        return this.watch.alerts();
    }
  }

  snapshot(): MonitorSnapshot {
    return {
      version: 1,
      series: this.store.snapshot(),
      collector: this.#collector.snapshot(),
      watch: this.watch.snapshot(),
    };
  }

  restore(saved: MonitorSnapshot): void {
    this.store.restore(saved.series);
    this.#collector.restore(saved.collector);
    this.watch.restore(saved.watch);
  }

  #record({ name, value, labels = {}, kind = 'gauge' }: Recording, now: number): void {
    const identity = { name, labels, kind };
    const known = this.store.get(identity);
    const added =
      known && known.kind !== kind
        ? 'other-kind'
        : this.store.add(identity, now, entryFor(kind, value, known?.last ?? 0));
    if (added === 'added') this.recorded++;
    else if (added === 'full') {
      throw new MonitorError(
        'MONITOR_FULL',
        `there is no room for the series ${name}: ${String(this.#config.seriesMax)} are kept (seriesMax); use fewer labels, or raise it`,
      );
    } else {
      throw new MonitorError(
        'MONITOR_KIND',
        `${name} is a ${known?.kind ?? 'other kind'} already, and no ${kind}`,
      );
    }
  }
}

function entryFor(kind: Required<Recording>['kind'], value: number, total: number): Entry {
  if (kind === 'counter') return counted(value, total);
  if (kind === 'gauge') return entryOf(value);
  return { ...entryOf(value), buckets: new Map([[boundOf(value), 1]]) };
}

/** As `ctx.metrics` does: eight buckets to each doubling. */
function boundOf(value: number): number {
  if (value <= 0) return 0;
  const power = Math.min(Math.max(Math.log2(value), -40), 60);
  return 2 ** (Math.ceil(power * 8) / 8);
}

/** Headers are left out, and of a URL all but where it leads to. */
function withoutSecrets(rule: Rule): Rule {
  const { notify } = rule;
  if (notify === undefined) return rule;
  const targets = Array.isArray(notify) ? notify : [notify];
  return { ...rule, notify: targets.map(shown) };
}

function shown(target: NotifyTarget): NotifyTarget {
  if ('plugin' in target) return target;
  const { headers: _, ...others } = target;
  return Object.assign(others, { url: shownTarget(target) });
}
