/** An answer as cells, for the terminal and the page alike. */
import { PEERS } from '../contenders/all.ts';
import type { Question } from '../question.ts';
import {
  boundSaid,
  comparisonSaid,
  verdictOf,
  type Comparison,
  type Verdict,
} from './comparison.ts';
import { groupsOf, isMeasured, type Measured, type Row } from './row.ts';
import { ratiosOf, spreadOf } from './statistics.ts';
import { said, times } from './units.ts';

export interface Cells {
  head: string[];
  rows: string[][];
}

type Asked = Pick<Question, 'unit' | 'better' | 'base' | 'targets'>;

export function figures({ unit, base }: Asked, rows: readonly Row[]): Cells {
  const head = ['', 'contender', 'median', 'quartiles', 'min – max', `× ${base}`];
  const cells = groupsOf(rows).flatMap((group) => {
    const inGroup = rows.filter((row) => row.group === group);
    const floor = inGroup.filter(isMeasured).find(({ contender }) => contender === base);
    return inGroup.map((row, at) => {
      const title = at === 0 ? group : '';
      if (!isMeasured(row)) return [title, row.contender, `failed: ${row.failed}`, '', '', ''];
      const { median, lowerQuartile, upperQuartile, min, max } = spreadOf(row.values);
      return [
        title,
        row.contender,
        said(median, unit),
        `${said(lowerQuartile, unit)} – ${said(upperQuartile, unit)}`,
        `${said(min, unit)} – ${said(max, unit)}`,
        floor ? ratio(row, floor) : '',
      ];
    });
  });
  return { head, rows: cells };
}

export function targets(question: Asked, rows: readonly Row[]): Cells {
  const head = ['target', '', 'measured', 'quartiles', ''];
  const cells = verdictsOf(question, rows).map(({ target, verdict }) =>
    [comparisonSaid(target), boundSaid(target.bound)].concat(verdictSaid(target, verdict)),
  );
  return { head, rows: cells };
}

export function verdictsOf(
  { better, targets }: Pick<Question, 'better' | 'targets'>,
  rows: readonly Row[],
): { target: Comparison; verdict: Verdict }[] {
  const peers = PEERS.map(({ name }) => name);
  return targets.map((target) => ({ target, verdict: verdictOf(target, { rows, better, peers }) }));
}

/** What was measured, its quartiles, and what is to be made of it. */
export function verdictSaid({ against }: Comparison, verdict: Verdict): [string, string, string] {
  if (verdict.outcome === 'unknown') return ['', '', verdict.reason];
  const { median, lowerQuartile, upperQuartile } = verdict.ratio;
  const isNamed = verdict.against === against.contender;
  return [
    `${times(median)}${isNamed ? '' : ` (${verdict.against})`}`,
    `${times(lowerQuartile)} – ${times(upperQuartile)}`,
    verdict.outcome === 'reached' ? 'reached' : 'not reached',
  ];
}

export function markdown({ head, rows }: Cells): string {
  const rule = head.map((_, column) => (isNumeric(rows, column) ? '--:' : '---'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** What a table has to the right. The first two columns say what it is about. */
export function isNumeric(rows: Cells['rows'], column: number): boolean {
  return column > 1 && rows.every((cells) => /^(\W*\d|failed|$)/.test(cells[column] ?? ''));
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function ratio(row: Measured, floor: Measured): string {
  return times(spreadOf(ratiosOf(row.values, floor.values)).median);
}
