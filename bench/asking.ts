/** Has a question answered in a process of its own, within a deadline. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { Asked, Told } from './ask.ts';
import type { QuestionOptions } from './question.ts';
import type { Row } from './support/row.ts';

const ASK = fileURLToPath(new URL('ask.ts', import.meta.url));
/** A question that takes longer is broken. */
const DEADLINE_MS = { quick: 90_000, whole: 300_000 };

export async function answerOf(
  asked: Asked,
  progress: QuestionOptions['progress'],
): Promise<{ rows: Row[]; seconds: number }> {
  const startedAt = performance.now();
  const child = fork(ASK, [JSON.stringify(asked)], {
    execArgv: [...process.execArgv, '--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const deadlineMs = asked.quick ? DEADLINE_MS.quick : DEADLINE_MS.whole;
  let where = 'at its start';
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, deadlineMs);
  try {
    const rows = await new Promise<Row[]>((resolve, reject) => {
      child.on('message', (told: Told) => {
        if (told.kind === 'rows') resolve(told.rows);
        else progress((where = told.what));
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        const how = isLate
          ? `took longer than ${String(deadlineMs / 1_000)} s`
          : `ended by ${signal ?? `exit code ${String(code)}`}`;
        reject(new Error(`the process that asks ${asked.name} ${how} (${where})`));
      });
    });
    return { rows, seconds: (performance.now() - startedAt) / 1_000 };
  } finally {
    clearTimeout(timer);
  }
}
