/** What cells come to: a mean, a rate, a quantile. Pure. */
import { quantileOf } from 'troupe/plugin';

import type { Fields } from './fields.ts';
import type { Cell } from './tier.ts';
import type { Aggregate, SeriesKind } from './types.ts';

const NAMED = ['last', 'avg', 'min', 'max', 'sum', 'count', 'rate'] as const;

/** Which aggregates say something of which kind. */
const OF_KIND: Record<SeriesKind, readonly string[]> = {
  gauge: [...NAMED, 'p'],
  counter: ['last', 'sum', 'rate'],
  histogram: ['avg', 'min', 'max', 'sum', 'count', 'rate', 'p'],
};

export function readAggregate(fields: Fields): Aggregate {
  const value = fields.take('aggregate');
  if (typeof value === 'string' && isAggregate(value)) return value;
  throw fields.fail('aggregate', `one of ${NAMED.join(', ')}, or a quantile from p0 to p100`);
}

export function defaultAggregate(kind: SeriesKind): Aggregate {
  return kind === 'histogram' ? 'avg' : 'last';
}

/** The aggregates of a kind, where this one is none of them. */
export function insteadOf(kind: SeriesKind, aggregate: Aggregate): string | undefined {
  const name = shareOf(aggregate) === undefined ? aggregate : 'p';
  if (OF_KIND[kind].includes(name)) return undefined;
  return OF_KIND[kind].map((each) => (each === 'p' ? 'p0 to p100' : each)).join(', ');
}

export interface Stretch {
  cells: readonly Cell[];
  /** How much time they are of. */
  elapsedMs: number;
  /** The last one before them. */
  before: Cell | undefined;
  /** Of a cell. */
  stepMs: number;
  /** When the last sample came, where these cells are the last. */
  lastAt?: number;
}

/** `undefined` where there is nothing to say it of. */
export function aggregateOf(
  kind: SeriesKind,
  aggregate: Aggregate,
  { cells, elapsedMs, before, stepMs, lastAt }: Stretch,
): number | undefined {
  const last = cells.at(-1);
  if (!last) return undefined;
  const share = shareOf(aggregate);
  if (share !== undefined) return quantile(kind, cells, share);
  const sum = total(cells.map((cell) => cell.sum));
  const count = total(cells.map((cell) => cell.count));
  switch (aggregate) {
    case 'last':
      return last.last;
    case 'avg':
      return count === 0 ? undefined : sum / count;
    case 'min':
      return Math.min(...cells.map(({ min }) => min));
    case 'max':
      return Math.max(...cells.map(({ max }) => max));
    case 'sum':
      return sum;
    case 'count':
      return count;
    default: {
      if (kind === 'gauge') return slope(before ?? cells[0], last, stepMs, lastAt);
      return ((kind === 'counter' ? sum : count) / elapsedMs) * 1_000;
    }
  }
}

function isAggregate(text: string): text is Aggregate {
  if (NAMED.some((name) => name === text)) return true;
  const share = shareOf(text);
  return share !== undefined && share <= 1;
}

/** `p99.9` is 0.999. */
function shareOf(aggregate: string): number | undefined {
  const [, percent] = /^p(\d{1,3}(?:\.\d{1,6})?)$/.exec(aggregate) ?? [];
  return percent === undefined ? undefined : Number(percent) / 100;
}

function quantile(kind: SeriesKind, cells: readonly Cell[], share: number): number | undefined {
  if (kind !== 'histogram') {
    const means = cells.map(({ sum, count }) => sum / count).sort((a, b) => a - b);
    return means[Math.max(0, Math.ceil(share * means.length) - 1)];
  }
  const buckets = new Map<number, number>();
  for (const cell of cells) {
    for (const [bound, n] of cell.buckets ?? []) buckets.set(bound, (buckets.get(bound) ?? 0) + n);
  }
  return quantileOf(
    {
      kind,
      name: '',
      labels: {},
      count: total([...buckets.values()]),
      sum: 0,
      min: Math.min(...cells.map(({ min }) => min)),
      max: Math.max(...cells.map(({ max }) => max)),
      buckets: [...buckets].sort(([a], [b]) => a - b),
    },
    share,
  );
}

/** By second. */
function slope(
  from: Cell | undefined,
  to: Cell,
  stepMs: number,
  lastAt: number | undefined,
): number | undefined {
  if (!from || from.at >= to.at) return undefined;
  const elapsedMs = (lastAt ?? lastOf(to, stepMs)) - lastOf(from, stepMs);
  return elapsedMs <= 0 ? undefined : ((to.last - from.last) / elapsedMs) * 1_000;
}

/** When the last sample of a cell came, if they came evenly. */
function lastOf({ at, count }: Cell, stepMs: number): number {
  return at + (stepMs * (count - 1)) / count;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
