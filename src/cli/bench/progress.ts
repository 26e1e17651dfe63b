/** One line on a terminal that says what is being measured; in a pipe nothing. */
import process from 'node:process';

import { paintFor, widthOf } from '../terminal.ts';

const CLEAR_LINE = '\r\u001B[K';

export class Progress {
  readonly #stream = process.stderr;
  readonly #isShown = process.stderr.isTTY;

  show(text: string): void {
    if (!this.#isShown) return;
    const line = text.slice(0, widthOf(this.#stream) - 1);
    this.#stream.write(CLEAR_LINE + paintFor(this.#stream)('dim', line));
  }

  /** Before anything else is printed. */
  clear(): void {
    if (this.#isShown) this.#stream.write(CLEAR_LINE);
  }
}
