/** A result as tables for a terminal of 80 columns, or for a pipe. */
import { renderTable } from '../table.ts';
import type { Paint } from '../terminal.ts';
import type { Comparison } from './compare.ts';
import { change, memory, ms, rate, share, spread, whole } from './format.ts';
import type { Summary } from './result.ts';
import { relativeSpread } from './statistics.ts';

export function throughputTable(rows: readonly Summary[], unit: string, paint: Paint): string {
  const head = [
    'threads',
    'in flight',
    `${unit}/s`,
    'spread',
    'failed',
    'plugin',
    'caller',
    'memory',
  ];
  return renderTable(
    head,
    rows.map((row) => [
      whole(row.threads),
      whole(row.inFlight),
      paint('bold', rate(row.perSec?.median)),
      row.rounds < 2 ? '–' : spread(row.perSec && relativeSpread(row.perSec)),
      row.failed === 0 ? '0' : paint('red', whole(row.failed)),
      share(row.pluginBusy),
      share(row.callerBusy),
      memory(row.memoryBytes),
    ]),
    paint,
  );
}

export function latencyTable(rows: readonly Summary[], what: string, paint: Paint): string {
  return renderTable(
    ['threads', 'in flight', `${what} ms: mean`, 'p50', 'p90', 'p99', 'max'],
    rows.map(({ threads, inFlight, latencyMs }) => [
      whole(threads),
      whole(inFlight),
      ms(latencyMs?.mean),
      paint('bold', ms(latencyMs?.p50)),
      ms(latencyMs?.p90),
      paint('bold', ms(latencyMs?.p99)),
      ms(latencyMs?.max),
    ]),
    paint,
  );
}

export function comparisonTable({ cells }: Comparison, unit: string, paint: Paint): string {
  return renderTable(
    ['threads', 'in flight', `${unit}/s then`, 'now', 'change', '', 'p50', 'p99'],
    cells.map((cell) => [
      whole(cell.threads),
      whole(cell.inFlight),
      rate(cell.perSecBefore),
      rate(cell.perSecNow),
      change(cell.perSecChange),
      verdict(cell, paint),
      change(cell.p50Change),
      change(cell.p99Change),
    ]),
    paint,
  );
}

function verdict(
  { isBeyondSpread, perSecChange = 0 }: Comparison['cells'][number],
  paint: Paint,
): string {
  if (isBeyondSpread === undefined) return paint('dim', 'unknown');
  if (!isBeyondSpread) return paint('dim', 'in spread');
  return perSecChange < 0 ? paint('red', 'slower') : paint('green', 'faster');
}
