/** For pipes and CI logs: plain lines, one for each quarter of a run. Never moves a cursor. */
import type { Outcome } from '../outcome.ts';
import { plainPaint } from './paint.ts';
import { reportLines } from './report.ts';
import { progressLine, tableLines } from './table.ts';
import type { Progress, View } from './view.ts';

const STEPS = 4;
const WIDTH = 80;

export class LinesView implements View {
  readonly #out: NodeJS.WriteStream;
  #shown = '';

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  say(line: string): void {
    this.#out.write(`${line}\n`);
  }

  progress(progress: Progress): void {
    const step = `${progress.run} ${Math.floor((progress.done / progress.of) * STEPS)}`;
    if (step === this.#shown || progress.done === progress.of) return;
    this.#shown = step;
    this.say(progressLine(progress));
  }

  settle(progress: Progress): void {
    this.say(progressLine(progress));
    for (const line of tableLines(progress.plugins, plainPaint)) this.say(line);
  }

  report(outcome: Outcome): void {
    for (const line of reportLines(outcome, WIDTH, plainPaint)) this.say(line);
  }
}
