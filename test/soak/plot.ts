/**
 * A run as an SVG: one panel for each quantity, all from 0, restarts to the right.
 */
import { HEAD, moved, polyline, round, rule, svg, text } from '../../src/cli/bench/svg.ts';
import type { Trend } from './trend.ts';

export interface Panel {
  title: string;
  unit: string;
  points: readonly { restarts: number; value: number }[];
  trend: Trend;
}

const COLUMNS = 3;
const PANEL = { width: 330, height: 190 };
/** The drawing inside of a panel. */
const INNER = { left: 52, right: 14, top: 44, bottom: 26 };
const FOOT = 8;
const TICKS = 3;

const STYLE = {
  light: `
  .flat { fill: #1a7f37; } .grows { fill: #cf222e; font-weight: 600; }
  .judged { fill: #eff3f8; }
  .line { stroke: #0969da; }`,
  dark: `
    .flat { fill: #3fb950; } .grows { fill: #ff7b72; }
    .judged { fill: #161d27; }
    .line { stroke: #58a6ff; }`,
};

export function plot(title: string, subtitle: string, panels: readonly Panel[]): string {
  const rows = Math.ceil(panels.length / COLUMNS);
  const [width, height] = [COLUMNS * PANEL.width, HEAD + rows * PANEL.height + FOOT];
  const body = panels.map((panel, i) =>
    moved((i % COLUMNS) * PANEL.width, HEAD + Math.floor(i / COLUMNS) * PANEL.height, draw(panel)),
  );
  return svg({ width, height, title, subtitle, style: STYLE, body });
}

function draw({ title, unit, points, trend }: Panel): string {
  const [left, right] = [INNER.left, PANEL.width - INNER.right];
  const [top, bottom] = [INNER.top, PANEL.height - INNER.bottom];
  const step = stepFor(trend.max, unit === '');
  const [xMax, yMax] = [Math.max(1, points.at(-1)?.restarts ?? 1), step * TICKS];
  const x = (restarts: number): number => left + (restarts / xMax) * (right - left);
  const y = (value: number): number => bottom - (value / yMax) * (bottom - top);
  const judgedFrom = x(points[Math.floor(points.length / 2)]?.restarts ?? 0);
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => i * step);
  const verdict = trend.isFlat ? 'flat' : 'grows';
  const slope = `${signed(trend.slopePer1000)}${unit && ` ${unit}`} per 1,000`;
  return [
    text(left, 18, 'title', title),
    text(left, 34, verdict, trend.isFlat ? '✓ flat' : '✗ grows'),
    text(right, 34, 'end', `${figure(trend.last)}${unit && ` ${unit}`} in the end, ${slope}`),
    `<rect class="judged" x="${round(judgedFrom)}" y="${String(top)}" width="${round(right - judgedFrom)}" height="${String(bottom - top)}"/>`,
    ...ticks.map((tick) => rule(left, right, y(tick), figure(tick))),
    polyline(
      points.map(({ restarts, value }) => ({ x: x(restarts), y: y(value) })),
      'class="line"',
    ),
    text(left, bottom + 16, '', '0'),
    text(x(xMax / 2), bottom + 16, 'middle', 'restarts'),
    text(right, bottom + 16, 'end', figure(xMax)),
  ].join('\n');
}

/** A round distance of ticks, whole for counts: the highest value fits and is not far from the top. */
function stepFor(max: number, isCount: boolean): number {
  const least = Math.max(max * 1.05, 1) / TICKS;
  const power = 10 ** Math.floor(Math.log10(least));
  const steps = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((factor) => factor * power);
  const fits = (step: number): boolean => step >= least && (!isCount || Number.isInteger(step));
  return steps.find(fits) ?? Math.ceil(10 * power);
}

/** For people: 1,234 or 1.2. */
export function figure(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 100 ? 1 : 0 });
}

export function signed(value: number): string {
  const size = Math.abs(value).toLocaleString('en', { maximumFractionDigits: 2 });
  return size === '0' ? '0' : `${value < 0 ? '−' : '+'}${size}`;
}
