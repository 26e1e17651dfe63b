/** A result as plots out of letters: bars for throughput, and a line from p50 to p99 for latency. */
import type { Paint } from '../terminal.ts';
import { ms, rate, whole } from './format.ts';
import type { Summary } from './result.ts';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const FULL = '█';

export function throughputChart(
  rows: readonly Summary[],
  unit: string,
  width: number,
  paint: Paint,
): string {
  const labels = labelsOf(rows);
  const figures = rows.map((row) => rate(row.perSec?.median));
  const [left, right] = [widest(labels), widest(figures)];
  const room = width - left - right - 2;
  const max = Math.max(...rows.map((row) => row.perSec?.median ?? 0));
  const lines = rows.map((row, i) => {
    const bar = barOf(max === 0 ? 0 : (row.perSec?.median ?? 0) / max, room);
    const gap = ' '.repeat(right - (figures[i] ?? '').length + room - bar.length);
    return `${labels[i] ?? ''} ${paint('cyan', bar)}${gap} ${figures[i] ?? ''}`;
  });
  return [titled(labels, `${unit}/s`, paint), ...lines].join('\n');
}

export function latencyChart(
  rows: readonly Summary[],
  what: string,
  width: number,
  paint: Paint,
): string {
  const known = rows.filter((row) => row.latencyMs !== undefined);
  const labels = labelsOf(known);
  const left = widest(labels);
  const room = width - left - 1;
  const values = known.flatMap(({ latencyMs }) =>
    latencyMs ? [latencyMs.p50, latencyMs.p99] : [],
  );
  const [low, high] = decadesOf(values);
  const at = (value: number): number =>
    Math.round(((Math.log10(value) - low) / (high - low)) * (room - 1));
  const lines = known.map(({ latencyMs }, i) => {
    const [from, to] = [at(latencyMs?.p50 ?? 1), at(latencyMs?.p99 ?? 1)];
    const line = from === to ? '◉' : `●${'─'.repeat(to - from - 1)}○`;
    return `${labels[i] ?? ''} ${' '.repeat(from)}${paint('cyan', line)}`;
  });
  const scale = axis(low, high, room);
  const title = titled(labels, `${what}, ms: ● p50  ○ p99`, paint);
  return [title, ...lines, `${' '.repeat(left)} ${paint('dim', scale)}`].join('\n');
}

/** Powers of ten around the values, at least one apart. */
export function decadesOf(values: readonly number[]): [low: number, high: number] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))];
}

function titled(labels: readonly string[], text: string, paint: Paint): string {
  const head =
    labels.length > 0 && (labels[0] ?? '').includes('×') ? 'threads × in flight' : 'in flight';
  return paint('dim', `${head.padStart(widest(labels))} ${text}`);
}

function labelsOf(rows: readonly Summary[]): string[] {
  const isSwept = new Set(rows.map((row) => row.threads)).size > 1;
  const labels = rows.map((row) =>
    isSwept ? `${whole(row.threads)} × ${whole(row.inFlight)}` : whole(row.inFlight),
  );
  const head = isSwept ? 'threads × in flight' : 'in flight';
  const width = Math.max(widest(labels), head.length) + 2;
  return labels.map((label) => label.padStart(width));
}

function barOf(part: number, room: number): string {
  const eighths = Math.round(part * room * 8);
  return FULL.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

/** Each power of ten at its place. */
function axis(low: number, high: number, room: number): string {
  let line = '';
  for (let power = low; power <= high; power++) {
    const text = ms(10 ** power).replace(/\.0+$|(\.\d*?)0+$/, '$1');
    const place = Math.round(((power - low) / (high - low)) * (room - 1));
    const start = Math.min(place, room - text.length);
    if (start >= line.length + (line ? 1 : 0)) line = line.padEnd(start) + text;
  }
  return line;
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}
