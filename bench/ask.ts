/** One question, in a process of its own: what one leaves behind does not meet the next. */
import process from 'node:process';

import type { QuestionOptions } from './question.ts';
import { QUESTIONS } from './questions/all.ts';
import type { Row } from './support/row.ts';

export interface Asked extends Pick<QuestionOptions, 'quick' | 'only'> {
  name: string;
}

export type Told = { kind: 'progress'; what: string } | { kind: 'rows'; rows: Row[] };

const { name, ...options } = JSON.parse(process.argv[2] ?? '{}') as Asked;
process.once('disconnect', () => process.exit(1));

const question = QUESTIONS.find((each) => each.name === name);
const rows = await question?.ask({
  ...options,
  progress: (what) => void tell({ kind: 'progress', what }),
});
await tell({ kind: 'rows', rows: rows ?? [] });
// whatever a contender has left open
process.exit(0);

function tell(told: Told): Promise<void> {
  return new Promise((resolve) => process.send?.(told, () => resolve()));
}
