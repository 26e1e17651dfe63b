/** For machines: one JSON document at the end, and not a byte before. */
import type { Outcome } from '../outcome.ts';
import type { View } from './view.ts';

export class JsonView implements View {
  readonly #out: NodeJS.WriteStream;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  say(): void {}

  progress(): void {}

  settle(): void {}

  report(outcome: Outcome): void {
    this.#out.write(`${JSON.stringify(outcome, null, 2)}\n`);
  }
}
