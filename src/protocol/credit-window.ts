/**
 * How far a stream's producer may be ahead of its reader. It begins small, and doubles while the
 * reader has to wait for chunks: then what limits is how often the two wake each other. A reader
 * that never waits is slower than the producer, and keeps the window it has.
 */
import { STREAM_CREDIT_BYTES, STREAM_CREDIT_CHUNKS, STREAM_CREDIT_CHUNKS_MAX } from './limits.ts';

/** Of a stream that a plugin makes. */
export function streamWindow(): CreditWindow {
  return new CreditWindow(STREAM_CREDIT_CHUNKS, STREAM_CREDIT_CHUNKS_MAX);
}

export class CreditWindow {
  readonly #min: number;
  readonly #max: number;
  #chunks: number;
  #taken = 0;
  #hasWaited = false;
  /** Of the largest chunk so far. */
  #chunkBytes = 1;

  /** @param max where it is the same, the window does not grow. */
  constructor(min: number, max = min) {
    this.#min = min;
    this.#max = max;
    this.#chunks = min;
  }

  /** A chunk has come. */
  came(bytes: number): void {
    if (bytes > this.#chunkBytes) this.#chunkBytes = bytes;
  }

  /** The reader found nothing to take. */
  waited(): void {
    this.#hasWaited = true;
  }

  /**
   * The reader took one.
   *
   * @returns how many more may come: half a window at a time, and 0 in between. A credit frame for each chunk
   * would double the traffic.
   */
  took(): number {
    this.#taken++;
    if (this.#taken < this.#chunks / 2) return 0;
    const fitting = Math.max(this.#min, Math.floor(STREAM_CREDIT_BYTES / this.#chunkBytes));
    const wanted = this.#hasWaited ? this.#chunks * 2 : this.#chunks;
    const next = Math.min(wanted, fitting, this.#max);
    const credit = this.#taken + next - this.#chunks;
    if (credit <= 0) return 0;
    this.#chunks = next;
    this.#taken = 0;
    this.#hasWaited = false;
    return credit;
  }
}
