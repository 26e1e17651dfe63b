/** Tables and progress, for people at a terminal. */
import process from 'node:process';

import Table from 'cli-table3';

import { isNumeric, type Cells } from './table.ts';

export function printed({ head, rows }: Cells): string {
  const table = new Table({
    head,
    colAligns: head.map((_, column) => (isNumeric(rows, column) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows);
  return table.toString();
}

/** One line that replaces itself, on a terminal only. */
export function progressOf(question: string, isWanted: boolean) {
  const isShown = isWanted && process.stderr.isTTY;
  return {
    show(what: string): void {
      if (isShown) process.stderr.write(`\r\x1b[K${question}: ${what}`);
    },
    end(): void {
      if (isShown) process.stderr.write('\r\x1b[K');
    },
  };
}
