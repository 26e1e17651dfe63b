/**
 * When the actor's frames leave. A result waits for company, but not for long: before a call
 * begins, what is ready is sent if the oldest of it has waited a millisecond, or if the batch
 * has reached its size. That size starts at one, doubles while calls are short and falls back to
 * one after a long one, so a result seldom waits behind a long call.
 */
import { BATCH_DELAY_MS, BATCH_RESULTS_MAX } from '../protocol/limits.ts';
import type { Link } from '../transport/link.ts';

export class ReplyBatch {
  readonly #link: Link;
  #ready = 0;
  #readySince = 0;
  #size = 1;
  #urgent = false;
  #scheduled = false;
  #flushedAt = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** A result was written. */
  resultReady(): void {
    if (this.#ready === 0) this.#readySince = performance.now();
    this.#ready++;
  }

  /** A frame that nobody should wait for was written: it leaves with this turn. */
  urge(): void {
    this.#urgent = true;
  }

  /** Before a call begins. */
  beforeCall(now: number): void {
    if (this.#ready === 0) return;
    if (this.#ready >= this.#size) this.#size = Math.min(this.#size * 2, BATCH_RESULTS_MAX);
    else if (now - this.#readySince <= BATCH_DELAY_MS) return;
    this.flush();
  }

  /** A call kept the thread for longer than a result may wait. */
  afterLongCall(): void {
    this.#size = 1;
  }

  /** At the end of a turn. `idle`: no further result will come for now. */
  endTurn(idle: boolean): void {
    if (!this.#link.hasPending) return;
    if (idle || this.#urgent) this.flush();
    else this.schedule();
  }

  /** From inside a call that may go on for long: at once, but not too often. */
  flushIfDue(now = performance.now()): void {
    if (now - this.#flushedAt > BATCH_DELAY_MS) this.flush();
    else this.schedule();
  }

  flush(): void {
    this.#ready = 0;
    this.#urgent = false;
    this.#flushedAt = performance.now();
    this.#link.flush();
  }

  /** After the other work of this turn: results of calls that end meanwhile keep it company. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}
