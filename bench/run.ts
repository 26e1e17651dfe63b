/** `npm run bench`: asks each question, prints a table, keeps the result as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs, styleText } from 'node:util';

import Table from 'cli-table3';

import { smallCalls, type SmallCallsRow } from './questions/small-calls.ts';
import { environment, type Environment } from './support/environment.ts';

const RESULTS = new URL('./results/', import.meta.url);
const USAGE = `usage: npm run bench -- [--quick] [--json]

  --quick   fewer and shorter runs: for a first look, not for figures
  --json    print the result as one JSON document and nothing else`;

const { values } = options();
if (values.help) {
  console.log(USAGE);
} else {
  const rows = await smallCalls({
    runs: values.quick ? 3 : 7,
    runMs: values.quick ? 200 : 1_000,
    progress: values.json || !process.stderr.isTTY ? () => undefined : showProgress,
  });
  const result = {
    question: 'small echo calls through one worker',
    environment: environment(),
    rows,
  };
  if (!values.quick) keep(result, 'small-calls.json');
  if (values.json) console.log(JSON.stringify(result, null, 2));
  else print(result);
}

function options() {
  try {
    return parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

function print({ question, environment: env, rows }: Result): void {
  const table = new Table({
    head: ['in flight', 'contender', 'calls/s', 'min – max', '× bare', 'settings'],
    colAligns: ['right', 'left', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  let before = 0;
  for (const row of rows) {
    const { median, min, max } = row.callsPerSecond;
    table.push([
      row.inFlight === before ? '' : String(row.inFlight),
      row.contender === 'troupe' ? styleText('bold', row.contender) : row.contender,
      thousands(median),
      `${thousands(min)} – ${thousands(max)}`,
      row.ratioToBare.toFixed(2),
      row.settings,
    ]);
    before = row.inFlight;
  }
  console.log(`${question}\n${table.toString()}`);
  for (const inFlight of new Set(rows.map((row) => row.inFlight)))
    console.log(verdict(rows, inFlight));
  console.log(
    `${env.cpu}, ${String(env.cores)} cores, Node ${env.node}, commit ${env.commit}; medians, all in one process`,
  );
}

function verdict(rows: readonly SmallCallsRow[], inFlight: number): string {
  const rate = (name: string): number =>
    rows.find((row) => row.inFlight === inFlight && row.contender === name)?.callsPerSecond
      .median ?? Number.NaN;
  const against = ['bare postMessage', 'piscina', 'comlink'].map(
    (name) => `${(rate('troupe') / rate(name)).toFixed(1)} × ${name}`,
  );
  return `  ${String(inFlight)} in flight: troupe is ${against.join(', ')}`;
}

function keep(result: Result, file: string): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(new URL(file, RESULTS), `${JSON.stringify(result, null, 2)}\n`);
}

function showProgress(what: string): void {
  process.stderr.write(`\r\x1b[K${what}`);
}

function thousands(value: number): string {
  return `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)} k`;
}

interface Result {
  question: string;
  environment: Environment;
  rows: SmallCallsRow[];
}
