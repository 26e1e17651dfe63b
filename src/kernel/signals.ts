/** Closes a manager when the process is asked to end, and ends the process then. */
import { constants } from 'node:os';
import process from 'node:process';

import type { CloseReport } from './types.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * The first signal closes, prints what did not end in good order, and exits with 128 + its number;
 * a second one exits at once.
 *
 * @returns what takes the handlers away.
 */
export function closeOnSignals(id: string, close: () => Promise<CloseReport>): () => void {
  let isClosing = false;
  const onSignal = (signal: (typeof SIGNALS)[number]): void => {
    const exitCode = 128 + constants.signals[signal];
    if (isClosing) process.exit(exitCode);
    isClosing = true;
    void close().then((report) => {
      // written before the exit, also where standard error is a pipe
      process.stderr.write(`${textOf(id, signal, report)}\n`, () => process.exit(exitCode));
    });
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

function textOf(id: string, signal: string, { clean, problems }: CloseReport): string {
  const ended = `[${id}] closed on ${signal}`;
  if (clean) return ended;
  const lines = problems.map((problem) => `  ${problem.id}: ${problem.error.message}`);
  return [`${ended}; not in good order:`, ...lines].join('\n');
}
