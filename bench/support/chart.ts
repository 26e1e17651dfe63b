/**
 * The answer to a question as an SVG: a panel for each group, in it a bar for each contender, from 0
 * to its median, with its figure beside it and a line from its lower to its upper quartile.
 */
import { HEAD, moved, round, svg, text } from '../../src/cli/bench/svg.ts';
import { groupsOf, isMeasured, type Row } from './row.ts';
import { spreadOf } from './statistics.ts';
import { said, type Unit } from './units.ts';

export interface Chart {
  title: string;
  subtitle: string;
  unit: Unit;
  rows: readonly Row[];
  scale: 'shared' | 'own';
  /** Of whom this is about: their bars stand out. */
  isOurs(contender: string): boolean;
}

const WIDTH = 960;
const COLUMNS_MAX = 3;
const ROW = 21;
const BAR = 13;
const PANEL_HEAD = 34;
const GAP = 16;
const CHARACTER = 6.4;
const FIGURE = 64;

const STYLE = {
  light: `
  .bar { fill: #afb8c1; } .ours { fill: #0969da; }
  .name { fill: #1f2328; } .mine { fill: #0969da; font-weight: 600; }
  .figure { fill: #1f2328; } .failed { fill: #cf222e; }
  .spread { stroke: #1f2328; stroke-width: 1; stroke-opacity: 0.55; }`,
  dark: `
    .bar { fill: #545d68; } .ours { fill: #388bfd; }
    .name { fill: #e6edf3; } .mine { fill: #58a6ff; }
    .figure { fill: #e6edf3; } .failed { fill: #ff7b72; }
    .spread { stroke: #e6edf3; }`,
};

export function chart({ title, subtitle, unit, rows, scale, isOurs }: Chart): string {
  const panels = groupsOf(rows).map((group) => ({
    group,
    rows: rows.filter((row) => row.group === group),
  }));
  const columns = columnsFor(panels.length);
  const width = WIDTH / columns;
  const topOfAll = topOf(rows);
  const lines = Math.max(...panels.map((panel) => panel.rows.length));
  const height = PANEL_HEAD + lines * ROW + GAP;
  return svg({
    width: WIDTH,
    height: HEAD + Math.ceil(panels.length / columns) * height,
    title,
    subtitle,
    style: STYLE,
    body: panels.map((panel, at) =>
      moved(
        (at % columns) * width,
        HEAD + Math.floor(at / columns) * height,
        drawn(panel.group, panel.rows, {
          width,
          unit,
          isOurs,
          top: scale === 'shared' ? topOfAll : topOf(panel.rows),
        }),
      ),
    ),
  });
}

/** In rows of three, but for four, which are two and two. */
export function columnsFor(panels: number): number {
  if (panels <= COLUMNS_MAX) return Math.max(panels, 1);
  return panels === 4 ? 2 : COLUMNS_MAX;
}

/** What is at the right end of a scale that begins at 0. */
export function topOf(rows: readonly Row[]): number {
  const tops = rows.filter(isMeasured).map(({ values }) => {
    const { median, upperQuartile } = spreadOf(values);
    return Math.max(median, upperQuartile);
  });
  return Math.max(...tops, Number.MIN_VALUE);
}

interface PanelLook extends Pick<Chart, 'unit' | 'isOurs'> {
  width: number;
  top: number;
}

function drawn(group: string, rows: readonly Row[], look: PanelLook): string {
  const { width, unit, top, isOurs } = look;
  const longest = Math.max(...rows.map(({ contender }) => contender.length));
  const left = Math.min(16 + longest * CHARACTER + 8, width * 0.55);
  const x = (value: number): number => (value / top) * (width - left - FIGURE - GAP);
  const lines = rows.map((row, at) => {
    const y = PANEL_HEAD + at * ROW;
    const isMine = isOurs(row.contender);
    const name = text(left - 8, y + BAR - 2, `end ${isMine ? 'mine' : 'name'}`, row.contender);
    if (!isMeasured(row)) return `${name}\n${text(left, y + BAR - 2, 'failed', row.failed)}`;
    const { median, lowerQuartile, upperQuartile } = spreadOf(row.values);
    const middle = round(y + BAR / 2);
    return [
      name,
      `<rect class="${isMine ? 'ours' : 'bar'}" x="${round(left)}" y="${round(y)}" width="${round(Math.max(x(median), 1))}" height="${String(BAR)}" rx="1.5"/>`,
      `<line class="spread" x1="${round(left + x(lowerQuartile))}" x2="${round(left + x(upperQuartile))}" y1="${middle}" y2="${middle}"/>`,
      text(
        left + x(Math.max(median, upperQuartile)) + 5,
        y + BAR - 2,
        'figure',
        said(median, unit),
      ),
    ].join('\n');
  });
  return [text(16, 18, 'title', group), ...lines].join('\n');
}
