/** Answers queries: points of series over a range, in steps. */
import { aggregateOf, defaultAggregate, insteadOf, readAggregate } from './aggregate.ts';
import { Fields, wrong } from './fields.ts';
import { MonitorError } from './monitor-error.ts';
import { reaching, type Series } from './series.ts';
import type { Store } from './store.ts';
import type { Cell } from './tier.ts';
import type { Aggregate, Point, QueryResult, Range, Retention, SeriesQuery } from './types.ts';

/** Points of all series of one answer. */
export const POINTS_MAX = 100_000;

/** @throws MonitorError `MONITOR_INVALID_INPUT`. */
export function readQuery(fields: Fields): SeriesQuery {
  const query = {
    name: fields.metric('name'),
    labels: fields.labels('labels'),
    range: readRange(new Fields(fields.take('range') ?? {}, 'the range of a query')),
    aggregate: fields.maybe('aggregate', () => readAggregate(fields)),
  };
  fields.end();
  const { aggregate, ...rest } = query;
  return aggregate === undefined ? rest : { ...rest, aggregate };
}

/** @throws MonitorError `MONITOR_KIND`, `MONITOR_RANGE`, `MONITOR_INVALID_INPUT`. */
export function query(
  store: Store,
  retention: readonly Retention[],
  { name, labels, range = {}, aggregate }: SeriesQuery,
  now: number,
): QueryResult {
  const window = windowOf(range, retention, now);
  const matching = store.find(name, labels);
  const count = Math.ceil((window.toMs - window.fromMs) / window.stepMs) * matching.length;
  if (count > POINTS_MAX) {
    throw new MonitorError(
      'MONITOR_RANGE',
      `${name} would be ${String(count)} points of ${String(POINTS_MAX)} at most; ask for a larger stepMs, a shorter range or more labels`,
    );
  }
  const series = matching.map((each) => ({
    name,
    labels: each.labels,
    kind: each.kind,
    points: pointsOf(each, aggregate ?? defaultAggregate(each.kind), window),
  }));
  return { stepMs: window.stepMs, series };
}

/**
 * The aggregate of the last so many ms as one number. The time begins where a cell does, so that
 * none is cut: it may be longer by up to a step. A rate is of two steps at least.
 */
export function valueOver(
  series: Series,
  aggregate: Aggregate,
  overMs: number,
  now: number,
): number | undefined {
  requireOf(series, aggregate);
  const tier = series.tierOf(now - overMs, now);
  if (!tier) return undefined;
  const { stepMs } = tier;
  const isRate = aggregate === 'rate';
  const wantedMs = isRate ? Math.max(overMs, RATE_STEPS * stepMs) : overMs;
  const from = Math.floor((now - wantedMs) / stepMs) * stepMs;
  // a series that began within the time is not slower for that
  const elapsedMs = now - Math.max(from, series.firstAt);
  if (isRate && elapsedMs < RATE_STEPS * stepMs) return undefined;
  const cells = tier.cells(from, now + 1);
  const stretch = { cells, elapsedMs, before: undefined, stepMs, lastAt: series.lastAt };
  return aggregateOf(series.kind, aggregate, stretch);
}

/** Before, a rate would be of hardly more than one sample. */
const RATE_STEPS = 2;

interface Window {
  fromMs: number;
  toMs: number;
  stepMs: number;
  /** Of the resolution that is read. */
  cellMs: number;
}

/** Begins and ends where steps do; a step is made of whole cells. */
function windowOf(range: Range, retention: readonly Retention[], now: number): Window {
  // what was recorded just now is within
  const toMs = range.toMs ?? now + 1;
  const fromMs = range.fromMs ?? toMs - (range.lastMs ?? (retention[0]?.keepMs ?? 1) - 1);
  if (fromMs >= toMs) throw wrong('the range of a query must begin before it ends');
  const cellMs = reaching(retention, Math.min(fromMs, now), now)?.stepMs ?? 1;
  const stepMs = Math.ceil((range.stepMs ?? cellMs) / cellMs) * cellMs;
  return { fromMs: Math.floor(fromMs / stepMs) * stepMs, toMs, stepMs, cellMs };
}

function pointsOf(series: Series, aggregate: Aggregate, window: Window): Point[] {
  requireOf(series, aggregate);
  const { fromMs, toMs, stepMs, cellMs } = window;
  const cells = series.tiers.find((tier) => tier.stepMs === cellMs)?.cells(fromMs, toMs) ?? [];
  const points: Point[] = [];
  let before: Cell | undefined;
  for (let start = 0; start < cells.length;) {
    const at = Math.floor((cells[start]?.at ?? 0) / stepMs) * stepMs;
    let end = start;
    while ((cells[end]?.at ?? Infinity) < at + stepMs) end++;
    const step = cells.slice(start, end);
    const elapsedMs = Math.min(stepMs, Math.max(toMs - at, 1));
    const value = aggregateOf(series.kind, aggregate, {
      cells: step,
      elapsedMs,
      before,
      stepMs: cellMs,
    });
    if (value !== undefined) points.push({ at, value });
    before = step.at(-1);
    start = end;
  }
  return points;
}

function requireOf({ name, kind }: Series, aggregate: Aggregate): void {
  const others = insteadOf(kind, aggregate);
  if (others === undefined) return;
  throw new MonitorError(
    'MONITOR_KIND',
    `${name} is a ${kind}, of which there is no ${aggregate}; there are ${others}`,
  );
}

function readRange(fields: Fields): Range {
  const epoch = (name: string): number => fields.number(name, 0, Number.MAX_SAFE_INTEGER);
  const range = {
    fromMs: fields.maybe('fromMs', epoch),
    lastMs: fields.maybe('lastMs', (name) => fields.ms(name, 1)),
    toMs: fields.maybe('toMs', epoch),
    stepMs: fields.maybe('stepMs', (name) => fields.integer(name, 1, Number.MAX_SAFE_INTEGER)),
  };
  fields.end();
  if (range.fromMs !== undefined && range.lastMs !== undefined) {
    throw wrong('the range of a query has "fromMs" and "lastMs"; give one of them');
  }
  return JSON.parse(JSON.stringify(range)) as Range;
}
