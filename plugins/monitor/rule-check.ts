/** What a rule sees: readings of the series that it is about. Pure, but for what it reads. */
import type { MetricLabels } from 'troupe/plugin';

import { defaultAggregate, insteadOf } from './aggregate.ts';
import type { Seen } from './alert-machine.ts';
import { valueOver } from './query.ts';
import { keyOf, type Series } from './series.ts';
import type { Store } from './store.ts';
import type { AbsenceRule, RateRule, Rule, ThresholdRule } from './types.ts';

const OVER_MS = 60_000;

export interface Reading {
  /** Which of the rule's alerts it is about. */
  key: string;
  labels: MetricLabels;
  value: number | undefined;
  seen: Seen;
}

/** @param since when the rule, or the monitor, began. */
export function readingsOf(rule: Rule, store: Store, since: number, now: number): Reading[] {
  const matching = store.find(rule.metric, rule.labels);
  if (rule.type === 'absence') return [absence(rule, matching, since, now)];
  return matching.filter(({ ended }) => !ended).map((series) => bounded(rule, series, now));
}

/** How long it is out of bounds before it fires; of an absence that is what is looked at. */
export function patienceOf(rule: Rule): number {
  return rule.type === 'absence' ? 0 : (rule.forMs ?? 0);
}

function absence(
  { labels = {}, metric, forMs }: AbsenceRule,
  matching: readonly Series[],
  since: number,
  now: number,
): Reading {
  const lastAt = Math.max(since, ...matching.map((series) => series.lastAt));
  const seen = now - lastAt >= forMs ? 'breached' : 'clear';
  return { key: keyOf({ name: metric, labels }), labels, value: undefined, seen };
}

function bounded(rule: ThresholdRule | RateRule, series: Series, now: number): Reading {
  const value = valueOf(rule, series, now);
  return { key: keyOf(series), labels: series.labels, value, seen: seenOf(rule, value) };
}

/** `undefined` also where the aggregate says nothing of a series of this kind. */
function valueOf(rule: ThresholdRule | RateRule, series: Series, now: number): number | undefined {
  const { overMs } = rule;
  const aggregate =
    rule.type === 'rate' ? 'rate' : (rule.aggregate ?? defaultAggregate(series.kind));
  if (insteadOf(series.kind, aggregate) !== undefined) return undefined;
  if (aggregate === 'last' && overMs === undefined) return series.last;
  return valueOver(series, aggregate, overMs ?? OVER_MS, now);
}

function seenOf({ above, below, clear }: ThresholdRule | RateRule, value?: number): Seen {
  if (value === undefined) return 'gone';
  if (above !== undefined) {
    if (value > above) return 'breached';
    return value > (clear ?? above) ? 'between' : 'clear';
  }
  if (below === undefined || value >= (clear ?? below)) return 'clear';
  return value < below ? 'breached' : 'between';
}
