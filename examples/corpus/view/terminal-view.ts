/** For people: a table that is redrawn in place. Never uses the alternate screen: what was said stays. */
import { stripVTControlCharacters } from 'node:util';

import type { Outcome } from '../outcome.ts';
import { type Paint, plainPaint, stylePaint } from './paint.ts';
import { reportLines } from './report.ts';
import { progressLine, tableLines } from './table.ts';
import type { Progress, View } from './view.ts';
import { wrap } from './wrap.ts';

const COLUMNS_DEFAULT = 80;
const REPORT_COLUMNS_MAX = 100; // longer lines are hard to read
const ERASE_BELOW = '\u001b[0J';

export class TerminalView implements View {
  readonly #out: NodeJS.WriteStream;
  readonly #paint: Paint;
  /** The block that the next redraw replaces; the cursor stands below it. */
  #block: string[] = [];

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#paint = out.hasColors() ? stylePaint : plainPaint;
  }

  say(line: string): void {
    const live = this.#block;
    this.#keep(wrap(line, this.#columns));
    this.#replace(live);
  }

  progress(progress: Progress): void {
    this.#replace([progressLine(progress), ...tableLines(progress.plugins, this.#paint)]);
  }

  settle(progress: Progress): void {
    this.progress(progress);
    this.#block = []; // from now on it is history
  }

  report(outcome: Outcome): void {
    const width = Math.min(this.#columns, REPORT_COLUMNS_MAX);
    this.#keep(reportLines(outcome, width, this.#paint));
  }

  get #columns(): number {
    return this.#out.columns || COLUMNS_DEFAULT;
  }

  /** Lines that stay, in the place of the block. */
  #keep(lines: readonly string[]): void {
    this.#replace([]);
    this.#out.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** One write, so that no half-drawn table is seen. */
  #replace(lines: readonly string[]): void {
    const up = this.#block.length > 0 ? `\u001b[${this.#block.length}A` : '';
    this.#block = lines.map((line) => this.#fit(line));
    this.#out.write(`${up}\r${ERASE_BELOW}${this.#block.map((line) => `${line}\n`).join('')}`);
  }

  /** A line that wrapped would be two, and the next redraw one line off. */
  #fit(line: string): string {
    const plain = stripVTControlCharacters(line);
    return plain.length < this.#columns ? line : plain.slice(0, this.#columns - 1);
  }
}
