/** `npm run bench`: asks the questions, prints a table for each, keeps the results, writes the page. */
import process from 'node:process';
import { parseArgs } from 'node:util';

import { answerOf } from './asking.ts';
import { guard } from './guard.ts';
import { writePage } from './page.ts';
import type { Question } from './question.ts';
import { QUESTIONS } from './questions/all.ts';
import { environment } from './support/environment.ts';
import { printed, progressOf } from './support/print.ts';
import { keep, resultOf, type Result } from './support/result.ts';
import { figures, targets } from './support/table.ts';

const USAGE = `usage: npm run bench -- [question …] [--quick] [--json]
       npm run bench -- --guard | --page

  --quick   fewer and shorter rounds: for a first look; nothing is kept
  --json    print each result as one JSON document a line, and nothing else
  --guard   ask what bench/guard.json bounds; exits with 1 where a ratio is out of bounds
  --page    write docs/benchmarks.md anew from the results that are kept

Kept: bench/results/<question>.json, docs/benchmarks.md, docs/benchmarks/<question>.svg.
Questions, all where none is named:
${QUESTIONS.map(({ name, title }) => `  ${name.padEnd(20)}${title}`).join('\n')}`;

const { values, questions } = options();
if (values.help) console.log(USAGE);
else if (values.page) writePage();
else if (values.guard) process.exitCode = (await guard()) ? 0 : 1;
else {
  for (const question of questions) await answer(question);
  if (!values.quick) writePage();
}

async function answer(question: Question): Promise<void> {
  const progress = progressOf(question.name, !values.json);
  try {
    const asked = { name: question.name, quick: values.quick };
    const measured = await answerOf(asked, progress.show);
    progress.end();
    const result = resultOf(question, { ...measured, environment: environment() });
    if (!values.quick) keep(result);
    if (values.json) console.log(JSON.stringify(result));
    else print(question, result);
  } catch (error) {
    progress.end();
    console.error(`${question.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function print(question: Question, { rows, environment: env, seconds }: Result): void {
  console.log(`${question.title} (${question.name}, ${question.better} is better)`);
  console.log(printed(figures(question, rows)));
  if (question.targets.length > 0) console.log(printed(targets(question, rows)));
  console.log(
    `${env.cpu}, ${String(env.cores)} cores, Node ${env.node}, commit ${env.commit}; ${String(seconds)} s\n`,
  );
}

function options() {
  try {
    const { values: given, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        guard: { type: 'boolean', default: false },
        page: { type: 'boolean', default: false },
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
