/** `npm run bench`: asks the questions, prints a table for each, keeps the results as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import Table from 'cli-table3';

import type { Question } from './question.ts';
import { recovery } from './questions/recovery.ts';
import { smallCalls } from './questions/small-calls.ts';
import { environment, type Environment } from './support/environment.ts';

const QUESTIONS: readonly Question[] = [smallCalls, recovery];
const RESULTS = new URL('./results/', import.meta.url);
const USAGE = `usage: npm run bench -- [question …] [--quick] [--json]

  --quick   fewer and shorter runs: for a first look, not for figures
  --json    print each result as one JSON document a line, and nothing else

questions, all where none is named:
${QUESTIONS.map(({ name, title }) => `  ${name.padEnd(14)}${title}`).join('\n')}`;

const { values, questions } = options();
if (values.help) console.log(USAGE);
else for (const question of questions) await answer(question);

async function answer(question: Question): Promise<void> {
  const isShown = !values.json && process.stderr.isTTY;
  const rows = await question.ask({
    quick: values.quick,
    progress: isShown ? showProgress : () => undefined,
  });
  if (isShown) process.stderr.write('\r\x1b[K');
  const result: Result = { question: question.title, environment: environment(), rows };
  if (!values.quick) keep(result, `${question.name}.json`);
  if (values.json) console.log(JSON.stringify(result));
  else print(question, result);
}

function options() {
  try {
    const { values: given, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const unknown = positionals.find((name) => !QUESTIONS.some((known) => known.name === name));
    if (unknown !== undefined) throw new Error(`there is no question ${unknown}`);
    const named = QUESTIONS.filter(({ name }) => positionals.includes(name));
    return { values: given, questions: named.length > 0 ? named : QUESTIONS };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

function print(question: Question, { environment: env, rows }: Result): void {
  const { head, rows: cells } = question.table(rows);
  const isNumber = (column: number): boolean =>
    cells.every((row) => /^[\d.,–\sk-]*$/.test(row[column] ?? ''));
  const table = new Table({
    head,
    colAligns: head.map((_, column) => (isNumber(column) ? 'right' : 'left')),
    style: { head: [], border: [] },
  });
  table.push(...cells);
  console.log(`${question.title}\n${table.toString()}`);
  for (const line of question.answer(rows)) console.log(`  ${line}`);
  console.log(
    `${env.cpu}, ${String(env.cores)} cores, Node ${env.node}, commit ${env.commit}; medians, all in one process\n`,
  );
}

function keep(result: Result, file: string): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(new URL(file, RESULTS), `${JSON.stringify(result, null, 2)}\n`);
}

function showProgress(what: string): void {
  process.stderr.write(`\r\x1b[K${what}`);
}

interface Result {
  question: string;
  environment: Environment;
  rows: unknown[];
}
