/** `docs/benchmarks.md` and its pictures, made from the results that are kept. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

import { TROUPE } from './contenders/troupe.ts';
import type { Question } from './question.ts';
import { QUESTIONS } from './questions/all.ts';
import { chart } from './support/chart.ts';
import { boundSaid, comparisonSaid } from './support/comparison.ts';
import type { Environment } from './support/environment.ts';
import { kept, type Result } from './support/result.ts';
import { figures, markdown, targets, verdictSaid, verdictsOf } from './support/table.ts';

const DOCS = new URL('../docs/', import.meta.url);
/** What is to be said of an answer, by hand: `bench/notes/<question>.md`, where there is one. */
const NOTES = new URL('notes/', import.meta.url);

export interface Answered {
  question: Question;
  result: Result | undefined;
  note: string;
}

export function writePage(): void {
  const answered = QUESTIONS.map((question) => ({
    question,
    result: kept(question.name),
    note: noteOn(question.name),
  }));
  mkdirSync(new URL('benchmarks/', DOCS), { recursive: true });
  for (const { question, result } of answered) {
    if (result) writeFileSync(new URL(pictureOf(question), DOCS), picture(question, result));
  }
  writeFileSync(new URL('benchmarks.md', DOCS), page(answered));
}

export function page(answered: readonly Answered[]): string {
  return `# Benchmarks

Written by \`npm run bench\`. Each question runs in a process of its own, and in it all contenders take turns, round
by round: Troupe, bare \`worker_threads\`, and the peers where the question makes sense for them, each with its best
settings. The garbage of one turn is collected before the next, the first round only warms up, and every answer is
checked. A figure is the median of the rounds, a ratio the median of the ratios within each round; quartiles and
extremes say how far they spread. Times are wall-clock times on a machine that also does other things: what counts
are the ratios. \`npm run bench -- --guard\` holds some of them in CI.

## Targets

${summary(answered)}

${answered.map(section).join('\n\n')}
`;
}

export function picture(question: Question, { rows, environment, unit }: Result): string {
  return chart({
    title: question.title,
    subtitle: `${question.better} is better; median, and a line between the quartiles. ${machine(environment)}`,
    unit,
    rows,
    scale: question.scale,
    isOurs: (contender) => contender.startsWith(TROUPE),
  });
}

function summary(answered: readonly Answered[]): string {
  const rows = answered.flatMap(({ question, result }) =>
    verdictsOf(question, result?.rows ?? []).map(({ target, verdict }) => {
      const [measured, , outcome] = verdictSaid(target, verdict);
      return [
        `[${question.name}](#${question.name})`,
        comparisonSaid(target),
        boundSaid(target.bound),
        measured,
        outcome === 'not reached' ? `**${outcome}**` : outcome,
      ];
    }),
  );
  return markdown({ head: ['question', 'target', '', 'measured', ''], rows });
}

function section({ question, result, note }: Answered): string {
  const { name, title, about } = question;
  const parts = [`## ${name}`, `**${title}** ${about}`];
  if (!result) return [...parts, 'Not measured yet.'].join('\n\n');
  const { rows, environment, seconds } = result;
  if (question.targets.length > 0) parts.push(markdown(targets(question, rows)));
  if (note) parts.push(note);
  return [
    ...parts,
    `![${title}](${pictureOf(question)})`,
    markdown(figures(question, rows)),
    `<details><summary>Settings</summary>\n\n${settings(result)}\n\n</details>`,
    `${machine(environment)}, ${environment.at.slice(0, 10)}, ${String(seconds)} s. [All figures](../bench/results/${name}.json)`,
  ].join('\n\n');
}

function settings({ rows }: Result): string {
  const named = new Map(rows.map(({ contender, settings }) => [contender, settings]));
  return [...named].map(([contender, how]) => `- ${contender}: ${how}`).join('\n');
}

function machine({ cpu, cores, node, commit }: Environment): string {
  return `${cpu}, ${String(cores)} cores, Node ${node}, commit ${commit}`;
}

function pictureOf({ name }: Question): string {
  return `benchmarks/${name}.svg`;
}

function noteOn(question: string): string {
  const file = new URL(`${question}.md`, NOTES);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
}
