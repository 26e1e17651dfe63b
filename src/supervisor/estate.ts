/**
 * What is a plugin's, and not one supervisor's: its replicas have it in common, and a version
 * leaves it to the next. So a call may go from one to another, and what was counted stays counted.
 */
import type { Limits } from '../protocol/limits.ts';
import { DeadLetters } from './dead-letters.ts';
import { Deadlines } from './deadlines.ts';
import { Meter } from './meter.ts';

export class Estate {
  readonly deadlines = new Deadlines();
  readonly deadLetters: DeadLetters;
  readonly #meters: Meter[] = [];
  #generation = 0;

  constructor(limits: Limits) {
    this.deadLetters = new DeadLetters(limits);
  }

  /** The number of the last life. */
  get generation(): number {
    return this.#generation;
  }

  /** No two lives of a plugin have the same number. */
  nextGeneration(): number {
    return ++this.#generation;
  }

  meterOf(replica = 0): Meter {
    return (this.#meters[replica] ??= new Meter());
  }

  close(): void {
    this.deadlines.clear();
  }
}
