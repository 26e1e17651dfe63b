import { wrap } from '../help.ts';
/** A result as a text for people. */
import type { Paint } from '../terminal.ts';
import { latencyChart, throughputChart } from './chart.ts';
import { regressions, type Comparison } from './compare.ts';
import { count, duration, rate, whole } from './format.ts';
import { summarise, type BenchResult, type Summary } from './result.ts';
import { comparisonTable, latencyTable, throughputTable } from './tables.ts';

const CALLER_BUSY = 0.9;
const CALLER_IS_THE_LIMIT =
  'Where the caller is busy, its own thread is the limit: what stands there is how fast one program can make these calls, not how fast the plugin can answer.';

export interface ReportOptions {
  comparison: Comparison | undefined;
  failOnRegressionPercent: number | undefined;
  exampleOf: (code: string) => string;
  width: number;
  paint: Paint;
}

export function renderReport(result: BenchResult, options: ReportOptions): string {
  const { width, paint, comparison } = options;
  const rows = result.cells.map(summarise);
  const unit = unitOf(result);
  const what = result.options.isStream ? 'stream' : 'latency';
  const parts = [headOf(result, width, paint), throughputTable(rows, unit, paint)];
  if (rows.some(({ latencyMs }) => latencyMs)) parts.push(latencyTable(rows, what, paint));
  if (rows.some(({ perSec }) => perSec)) parts.push(throughputChart(rows, unit, width, paint));
  if (rows.some(({ latencyMs }) => latencyMs)) parts.push(latencyChart(rows, what, width, paint));
  const troubles = troublesOf(rows, options);
  if (troubles.length > 0) parts.push(troubles.join('\n'));
  if (comparison) parts.push(comparisonOf(comparison, unit, options));
  return parts.join('\n\n');
}

export function unitOf({ options }: Pick<BenchResult, 'options'>): 'calls' | 'chunks' {
  return options.isStream ? 'chunks' : 'calls';
}

export function titleOf({ plugin }: BenchResult): string {
  return `${plugin.name} ${plugin.version}`;
}

export function subtitleOf({ node, machine, options, troupe }: BenchResult): string {
  const cpu = `${whole(machine.cores)} × ${machine.cpu}`;
  return `isolation ${options.isolation}, troupe ${troupe}, Node ${node}, ${machine.platform}-${machine.arch}, ${cpu}`;
}

function headOf(result: BenchResult, width: number, paint: Paint): string {
  const { options, inputs, isPartial } = result;
  const length = [
    options.durationMs === undefined ? [] : duration(options.durationMs),
    options.calls === undefined ? [] : count(options.calls, 'call'),
  ].flat();
  const of = inputs.count === undefined ? 'made by its function' : count(inputs.count, 'input');
  const settings = [
    `${count(options.rounds, 'round')} of ${length.join(' or ')} after ${duration(options.warmupMs)}`,
    `inputs: ${inputs.source} (${of})`,
    ...(options.concurrency > 1 ? [`concurrency ${whole(options.concurrency)}`] : []),
  ];
  return [
    paint('bold', titleOf(result)),
    ...[subtitleOf(result), settings.join(' · ')].flatMap((line) =>
      wrap(line, width).map((part) => paint('dim', part)),
    ),
    ...(isPartial
      ? [paint('yellow', 'Not complete: it ended before all rounds were measured.')]
      : []),
  ].join('\n');
}

function troublesOf(
  rows: readonly Summary[],
  { exampleOf, paint, width }: ReportOptions,
): string[] {
  const codes = [...new Set(rows.flatMap(({ failures }) => Object.keys(failures)))];
  const lines = codes.map((code) => {
    const failed = rows.reduce((sum, { failures }) => sum + (failures[code] ?? 0), 0);
    return `${paint('red', `${count(failed, 'call')} failed with ${code}`)}: ${exampleOf(code)}`;
  });
  const crashes = rows.reduce((sum, row) => sum + row.crashes, 0);
  if (crashes > 0) lines.push(paint('red', `The plugin crashed ${count(crashes, 'time')}.`));
  if (rows.some(({ callerBusy = 0 }) => callerBusy >= CALLER_BUSY)) {
    lines.push(...wrap(CALLER_IS_THE_LIMIT, width).map((line) => paint('yellow', line)));
  }
  return lines;
}

function comparisonOf(comparison: Comparison, unit: string, options: ReportOptions): string {
  const { paint, failOnRegressionPercent: percent } = options;
  const lines = [paint('bold', `Compared with the result of ${comparison.with}`)];
  lines.push(...comparison.warnings.map((warning) => paint('yellow', warning)));
  lines.push('', comparisonTable(comparison, unit, paint));
  const known = 'slower, faster: no round of one is where a round of the other could be.';
  lines.push('', paint('dim', known));
  if (comparison.unmatched > 0)
    lines.push(`${count(comparison.unmatched, 'cell')} not in the earlier result.`);
  if (percent !== undefined) {
    const found = regressions(comparison, percent);
    const bound = `more than ${rate(percent).replace(/\.?0+$/, '')} % slower`;
    lines.push(
      found.length === 0
        ? paint('green', `No cell is ${bound}, beyond the spread.`)
        : paint('red', `${count(found.length, 'cell')} ${bound}, beyond the spread.`),
    );
  }
  return lines.join('\n');
}
