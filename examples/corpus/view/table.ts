/** The table of actors, and the line above it. Pure: makes lines, never writes. */
import type { PluginRow } from '../runs/plugin-rows.ts';
import type { Meaning, Paint } from './paint.ts';
import type { Progress } from './view.ts';

const BAR_CHARS = 24;
const RUN_CHARS = 20;
const MS_IN_S = 1000;

interface Column {
  readonly title: string;
  readonly width: number;
  readonly cell: (row: PluginRow) => string;
}

const COLUMNS: readonly Column[] = [
  { title: 'gen', width: 4, cell: (row) => String(row.generation) },
  { title: 'done', width: 6, cell: (row) => String(row.done) },
  { title: 'in flight', width: 10, cell: (row) => String(row.inFlight) },
  { title: 'queued', width: 7, cell: (row) => String(row.queued) },
  { title: 'p50', width: 10, cell: (row) => `${row.p50Ms.toFixed(1)} ms` },
  { title: 'CPU', width: 6, cell: (row) => `${Math.round(row.cpu * 100)} %` },
  { title: 'restarts', width: 9, cell: (row) => String(row.restarts) },
];
const NAME_CHARS = 12;
const STATE_CHARS = 11;

export function progressLine({ run, done, of, elapsedMs }: Progress): string {
  const filled = Math.round((done / of) * BAR_CHARS);
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(BAR_CHARS - filled)}]`;
  const count = String(done).padStart(String(of).length);
  const seconds = `${(elapsedMs / MS_IN_S).toFixed(2)} s`;
  return `${run.padEnd(RUN_CHARS)} ${bar} ${count}/${of} ${seconds.padStart(9)}`;
}

/** No plugins, no lines. */
export function tableLines(rows: readonly PluginRow[], paint: Paint): string[] {
  if (rows.length === 0) return [];
  const titles = COLUMNS.map((column) => column.title.padStart(column.width)).join('');
  const head = `  ${'plugin'.padEnd(NAME_CHARS)}${'state'.padEnd(STATE_CHARS)}${titles}`;
  return [paint('faint', head), ...rows.map((row) => rowLine(row, paint))];
}

function rowLine(row: PluginRow, paint: Paint): string {
  const state = paint(meaningOf(row), row.state.padEnd(STATE_CHARS));
  const cells = COLUMNS.map((column) => column.cell(row).padStart(column.width)).join('');
  return `  ${row.plugin.padEnd(NAME_CHARS)}${state}${cells}`;
}

function meaningOf({ state }: PluginRow): Meaning {
  if (state === 'running') return 'good';
  return state === 'failed' ? 'bad' : 'busy';
}
