/** Tables and progress, for people at a terminal. */
import process from 'node:process';

import Table from 'cli-table3';

import type { Cells } from './table.ts';

export function printed({ head, rows }: Cells): string {
  const isNumber = (column: number): boolean =>
    rows.every((cells) => /^(\W*\d|$)/.test(cells[column] ?? ''));
  const table = new Table({
    head,
    colAligns: head.map((_, column) => (isNumber(column) ? 'right' : 'left')),
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
