/** The rules and their alerts. Says what began to fire and what resolved. */
import { nextPhase, type AlertPhase, type Seen } from './alert-machine.ts';
import { MonitorError } from './monitor-error.ts';
import { patienceOf, readingsOf, type Reading } from './rule-check.ts';
import type { Store } from './store.ts';
import type { Alert, AlertListing, Rule } from './types.ts';

const RULES_MAX = 1_000;
const RECENT_MAX = 100;

/** One alert of a rule that is not at rest. */
interface Live {
  phase: AlertPhase;
  reading: Reading;
}

interface Kept {
  rule: Rule;
  /** Since when it is looked at. */
  since: number;
  /** Given by the op `rule`, not by the spec. */
  isAdded: boolean;
  live: Map<string, Live>;
}

export interface WatchSnapshot {
  kept: Kept[];
  removed: string[];
  recent: Alert[];
}

export class Watch {
  readonly #store: Store;
  readonly #tell: (alert: Alert, rule: Rule) => void;
  readonly #kept = new Map<string, Kept>();
  /** Rules of the spec that were taken away since. */
  readonly #removed = new Set<string>();
  #recent: Alert[] = [];

  /** @param tell an alert began to fire, or was resolved. */
  constructor(store: Store, tell: (alert: Alert, rule: Rule) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  get rules(): Rule[] {
    return [...this.#kept.values()].map(({ rule }) => rule);
  }

  /** @throws MonitorError `MONITOR_FULL`. */
  put(rule: Rule, since: number, isAdded: boolean): boolean {
    const known = this.#kept.get(rule.name);
    if (!known && this.#kept.size >= RULES_MAX) {
      throw new MonitorError(
        'MONITOR_FULL',
        `there are ${String(RULES_MAX)} rules, and there can be no more; take one away with unrule`,
      );
    }
    const isOther = known?.rule.type !== rule.type;
    const live = known && !isOther ? known.live : new Map<string, Live>();
    if (known && isOther) this.#settle(known, since);
    this.#kept.set(rule.name, { rule, since: known?.since ?? since, isAdded, live });
    this.#removed.delete(rule.name);
    return known !== undefined;
  }

  /** What fires of it resolves. */
  remove(name: string, now: number): boolean {
    const known = this.#kept.get(name);
    if (!known) return false;
    this.#settle(known, now);
    this.#kept.delete(name);
    if (!known.isAdded) this.#removed.add(name);
    return true;
  }

  look(now: number): void {
    for (const kept of this.#kept.values()) {
      const readings = readingsOf(kept.rule, this.#store, kept.since, now);
      const visited = new Set(readings.map(({ key }) => key));
      for (const reading of readings) this.#step(kept, reading, reading.seen, now);
      for (const [key, { reading }] of kept.live) {
        if (!visited.has(key)) this.#step(kept, reading, 'gone', now);
      }
    }
  }

  alerts(): AlertListing {
    const active = [...this.#kept.values()].flatMap(({ rule, live }) =>
      [...live.values()].map((each) => alertOf(rule, each)),
    );
    return { active, recent: [...this.#recent] };
  }

  count(state: 'pending' | 'firing'): number {
    return this.alerts().active.filter((alert) => alert.state === state).length;
  }

  snapshot(): WatchSnapshot {
    const kept = [...this.#kept.values()];
    return { kept, removed: [...this.#removed], recent: this.#recent };
  }

  /** Rules of the spec are those of the present spec; what was added, taken away and fires is as it was. */
  restore({ kept, removed, recent }: WatchSnapshot): void {
    this.#recent = recent;
    for (const each of kept) {
      const present = this.#kept.get(each.rule.name);
      if (each.isAdded) this.#kept.set(each.rule.name, each);
      else if (present?.rule.type === each.rule.type) {
        this.#kept.set(each.rule.name, { ...each, rule: present.rule });
      }
    }
    for (const name of removed) {
      if (!this.#kept.delete(name)) continue;
      this.#removed.add(name);
    }
  }

  #settle(kept: Kept, now: number): void {
    for (const { reading } of kept.live.values()) this.#step(kept, reading, 'gone', now);
  }

  #step({ rule, live }: Kept, reading: Reading, seen: Seen, now: number): void {
    const before = live.get(reading.key)?.phase ?? { phase: 'ok' };
    const phase = nextPhase(before, seen, now, patienceOf(rule));
    const isOver = phase.phase === 'ok' || phase.phase === 'resolved';
    const each = { phase, reading };
    if (isOver) live.delete(reading.key);
    else live.set(reading.key, each);
    if (phase.phase === before.phase || phase.phase === 'ok' || phase.phase === 'pending') return;
    const alert = alertOf(rule, each);
    if (phase.phase === 'resolved') this.#recent = [alert, ...this.#recent].slice(0, RECENT_MAX);
    this.#tell(alert, rule);
  }
}

function alertOf(rule: Rule, { phase, reading: { labels, value } }: Live): Alert {
  const { name, type, metric, severity = 'warning' } = rule;
  return {
    rule: name,
    type,
    severity,
    metric,
    labels,
    state: phase.phase === 'ok' ? 'resolved' : phase.phase,
    value,
    message: messageOf(rule, { labels, value }),
    since: phase.phase === 'ok' ? 0 : phase.since,
    firedAt: 'firedAt' in phase ? phase.firedAt : undefined,
    resolvedAt: 'resolvedAt' in phase ? phase.resolvedAt : undefined,
  };
}

function messageOf(rule: Rule, { labels, value }: Pick<Reading, 'labels' | 'value'>): string {
  const { name, metric, message } = rule;
  const shown = value === undefined ? 'nothing' : String(Number(value.toPrecision(6)));
  if (message !== undefined) {
    const known: Record<string, string> = { ...labels, value: shown, rule: name, metric };
    return message.replaceAll(/\{(\w+)\}/g, (text, field: string) =>
      Object.hasOwn(known, field) ? (known[field] ?? text) : text,
    );
  }
  const named = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  const series = named.length === 0 ? metric : `${metric}{${named.join(', ')}}`;
  if (rule.type === 'absence') return `${series} had no sample for ${String(rule.forMs)} ms`;
  const { above, below } = rule;
  const bound = above === undefined ? `below ${String(below)}` : `above ${String(above)}`;
  return `${series} is ${shown}${rule.type === 'rate' ? ' a second' : ''}; it should not be ${bound}`;
}
