/** A result as a picture: throughput and latency by calls in flight, a line for each number of threads. */
import { decadesOf } from './chart.ts';
import { ms, rate, whole } from './format.ts';
import type { Summary } from './result.ts';
import { HEAD, moved, polyline, round, rule, svg, text, type Point } from './svg.ts';

const PANEL = { width: 460, height: 330 };
const INNER = { left: 70, right: 24, top: 40, bottom: 44 };
const LEGEND = 30;
const TICKS = 4;
/** Labels nearer than that would run into each other. */
const TICK_GAP = 34;
/** Okabe and Ito: told apart by everybody, on both backgrounds. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];

interface Axis {
  at: (value: number) => number;
  ticks: readonly (readonly [value: number, label: string])[];
}

interface Series {
  threads: number;
  colour: string;
  rows: readonly Summary[];
}

export function plotSvg(
  title: string,
  subtitle: string,
  rows: readonly Summary[],
  unit: string,
): string {
  const series = seriesOf(rows);
  const [width, height] = [2 * PANEL.width, HEAD + PANEL.height + LEGEND];
  const x = inFlightAxis(rows);
  return svg({
    width,
    height,
    title,
    subtitle,
    body: [
      moved(0, HEAD, throughputPanel(series, x, unit)),
      moved(PANEL.width, HEAD, latencyPanel(series, x)),
      legend(series, height - 12),
    ],
  });
}

function seriesOf(rows: readonly Summary[]): Series[] {
  return [...new Set(rows.map(({ threads }) => threads))].map((threads, i) => ({
    threads,
    colour: COLOURS[i % COLOURS.length] ?? '#000000',
    rows: rows.filter((row) => row.threads === threads),
  }));
}

/** From 0; the whiskers are the slowest and the fastest round. */
function throughputPanel(series: readonly Series[], x: Axis, unit: string): string {
  const max = Math.max(
    1e-3,
    ...series.flatMap(({ rows }) => rows.map((row) => row.perSec?.max ?? 0)),
  );
  const step = roundStep(max / TICKS);
  const top = Math.ceil(max / step) * step;
  const y: Axis = {
    at: (value) => bottom() - (value / top) * (bottom() - INNER.top),
    ticks: Array.from({ length: Math.round(top / step) + 1 }, (_, i) => [
      i * step,
      rateTick(i * step),
    ]),
  };
  const marks = series.flatMap(({ rows, colour }) => {
    const points = rows.flatMap(({ inFlight, perSec }) =>
      perSec ? [{ x: x.at(inFlight), y: y.at(perSec.median), perSec }] : [],
    );
    return [
      polyline(points, `stroke="${colour}"`),
      ...points.map(({ perSec, ...at }) =>
        [
          `<line x1="${round(at.x)}" x2="${round(at.x)}" y1="${round(y.at(perSec.min))}" y2="${round(y.at(perSec.max))}" stroke="${colour}"/>`,
          dot(at, colour, `${rate(perSec.median)} ${unit}/s`),
        ].join(''),
      ),
    ];
  });
  return [frame(`${unit} per second`, x, y), ...marks].join('\n');
}

function latencyPanel(series: readonly Series[], x: Axis): string {
  const values = series.flatMap(({ rows }) =>
    rows.flatMap(({ latencyMs }) => (latencyMs ? [latencyMs.p50, latencyMs.p99] : [])),
  );
  if (values.length === 0) return text(INNER.left, 22, 'title', 'latency: no call was answered');
  const [low, high] = decadesOf(values);
  const y: Axis = {
    at: (value) => bottom() - ((Math.log10(value) - low) / (high - low)) * (bottom() - INNER.top),
    ticks: Array.from({ length: high - low + 1 }, (_, i) => [
      10 ** (low + i),
      tick(10 ** (low + i)),
    ]),
  };
  const marks = series.flatMap((each) => [
    latencyLine(each, 'p50', x, y),
    latencyLine(each, 'p99', x, y),
  ]);
  return [frame('latency in ms: p50 solid, p99 dashed', x, y), ...marks].join('\n');
}

function latencyLine({ rows, colour }: Series, name: 'p50' | 'p99', x: Axis, y: Axis): string {
  const points = rows.flatMap(({ inFlight, latencyMs }) =>
    latencyMs ? [{ x: x.at(inFlight), y: y.at(latencyMs[name]), value: latencyMs[name] }] : [],
  );
  const line = polyline(
    points,
    `stroke="${colour}"${name === 'p99' ? ' stroke-dasharray="5 4"' : ''}`,
  );
  const dots = points.map(({ value, ...at }) => dot(at, colour, `${name} ${ms(value)} ms`));
  return [line, ...dots].join('\n');
}

/** Logarithmic, with a tick for each number that was measured and has room. */
function inFlightAxis(rows: readonly Summary[]): Axis {
  const values = [...new Set(rows.map(({ inFlight }) => inFlight))].toSorted((a, b) => a - b);
  const [low = 1, high = 1] = [values[0], values.at(-1)];
  const [left, right] = [INNER.left + 16, PANEL.width - INNER.right - 16];
  const at = (value: number): number =>
    low === high
      ? (left + right) / 2
      : left + (Math.log(value / low) / Math.log(high / low)) * (right - left);
  let last = Number.NEGATIVE_INFINITY;
  const ticks = values.flatMap((value): (readonly [number, string])[] => {
    if (at(value) - last < TICK_GAP) return [];
    last = at(value);
    return [[value, whole(value)]];
  });
  return { at, ticks };
}

function frame(title: string, x: Axis, y: Axis): string {
  const [left, right] = [INNER.left, PANEL.width - INNER.right];
  return [
    text(left, 22, 'title', title),
    ...y.ticks.map(([value, label]) => rule(left, right, y.at(value), label)),
    ...x.ticks.map(([value, label]) => text(x.at(value), bottom() + 18, 'middle', label)),
    text((left + right) / 2, bottom() + 36, 'middle', 'calls in flight'),
  ].join('\n');
}

function legend(series: readonly Series[], y: number): string {
  return series
    .map(({ threads, colour }, i) => {
      const x = INNER.left + i * 100;
      return (
        dot({ x, y: y - 4 }, colour, '') +
        text(x + 10, y, '', `${whole(threads)} thread${threads === 1 ? '' : 's'}`)
      );
    })
    .join('\n');
}

function dot({ x, y }: Point, colour: string, title: string): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="3.5" fill="${colour}"><title>${title}</title></circle>`;
}

/** 1, 2, 2.5 or 5 times a power of ten. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= least) ?? 10);
}

function rateTick(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

function tick(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 1 });
}

function bottom(): number {
  return PANEL.height - INNER.bottom;
}
