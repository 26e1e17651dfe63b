/** Tables without frames: figures to the right, two spaces between columns. */
import Table from 'cli-table3';

import type { Paint } from './terminal.ts';

const NO_FRAME = {
  'top': '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  'bottom': '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  'left': '',
  'left-mid': '',
  'mid': '',
  'mid-mid': '',
  'right': '',
  'right-mid': '',
  'middle': '',
};

export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string {
  const table = new Table({
    head: head.map((title) => paint('dim', title)),
    colAligns: head.map(() => 'right'),
    chars: NO_FRAME,
    style: { 'head': [], 'border': [], 'padding-left': 2, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}
