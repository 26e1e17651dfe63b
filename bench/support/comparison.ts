/** A claim about a ratio of two medians, and what became of it. Ratios, never times. */
import { isMeasured, type Measured, type Row } from './row.ts';
import { ratiosOf, spreadOf, type Spread } from './statistics.ts';

/** Instead of a contender's name: the peer that did best in that group. */
export const BEST_PEER = 'the best peer';

export interface Comparison {
  of: Side;
  against: Side;
  bound: Bound;
}

export interface Side {
  group: string;
  contender: string;
}

export type Bound = { atLeast: number } | { atMost: number };

/** What one contender is to be beside another in the same group. */
export function ratioIn(
  group: string,
  { of, against, ...bound }: { of: string; against: string } & Bound,
): Comparison {
  return { of: { group, contender: of }, against: { group, contender: against }, bound };
}

export type Verdict =
  | { outcome: 'reached' | 'missed'; ratio: Spread; against: string }
  | { outcome: 'unknown'; reason: string };

export interface Field {
  rows: readonly Row[];
  better: 'higher' | 'lower';
  peers: readonly string[];
}

export function verdictOf({ of, against, bound }: Comparison, field: Field): Verdict {
  const ours = find(field.rows, of);
  const theirs =
    against.contender === BEST_PEER ? bestPeer(field, against.group) : find(field.rows, against);
  if (typeof ours === 'string') return { outcome: 'unknown', reason: ours };
  if (typeof theirs === 'string') return { outcome: 'unknown', reason: theirs };
  const ratio = spreadOf(ratiosOf(ours.values, theirs.values));
  const isReached = holds(bound, ratio.median);
  return { outcome: isReached ? 'reached' : 'missed', ratio, against: theirs.contender };
}

export function holds(bound: Bound, ratio: number): boolean {
  return 'atLeast' in bound ? ratio >= bound.atLeast : ratio <= bound.atMost;
}

/** For people: `at least 2.2 ×`. */
export function boundSaid(bound: Bound): string {
  return 'atLeast' in bound
    ? `at least ${String(bound.atLeast)} ×`
    : `at most ${String(bound.atMost)} ×`;
}

/** For people: `256 in flight: troupe against bare postMessage`. */
export function comparisonSaid({ of, against }: Comparison): string {
  if (of.group === against.group) {
    return `${of.group}: ${of.contender} against ${against.contender}`;
  }
  const isSame = of.contender === against.contender;
  return isSame
    ? `${of.contender}: ${of.group} against ${against.group}`
    : `${of.contender}, ${of.group}, against ${against.contender}, ${against.group}`;
}

function find(rows: readonly Row[], { group, contender }: Side): Measured | string {
  const row = rows.find((each) => each.group === group && each.contender === contender);
  if (!row) return `${contender} was not measured`;
  return isMeasured(row) ? row : `${contender} failed: ${row.failed}`;
}

function bestPeer({ rows, better, peers }: Field, group: string): Measured | string {
  const inGroup = rows
    .filter((row) => row.group === group && peers.includes(row.contender))
    .filter(isMeasured)
    .toSorted((a, b) => spreadOf(a.values).median - spreadOf(b.values).median);
  return inGroup.at(better === 'higher' ? -1 : 0) ?? 'no peer was measured';
}
