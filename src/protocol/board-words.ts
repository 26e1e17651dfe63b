/**
 * Where the words of a signal board lie: memory that two threads share, or a file that two
 * processes share. A word has one writer, so nothing here changes one in place.
 */
export interface BoardWords {
  load(at: number): number;
  /** Visible to the other side when it returns, also where this side dies next. */
  store(at: number, value: number): void;
  /** As `load`, but may be a moment old: for who looks all the time. */
  glance(at: number): number;
  /** A Float64 in two words, of which the first has an even place. */
  loadTime(at: number): number;
  storeTime(at: number, epochMs: number): void;
  /** Wakes who sleeps on the word. */
  wake(at: number): void;
  /** Blocks this thread until the word is another than `value`, or for `limitMs`. */
  sleep(at: number, value: number, limitMs: number): void;
}

export const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;
export const TIME_BYTES = Float64Array.BYTES_PER_ELEMENT;
const WORDS_PER_TIME = TIME_BYTES / WORD_BYTES;

/** Words in memory that threads share. */
export class SharedWords implements BoardWords {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #times: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#times = new Float64Array(buffer, 0, Math.floor(buffer.byteLength / TIME_BYTES));
  }

  load(at: number): number {
    return Atomics.load(this.#words, at);
  }

  store(at: number, value: number): void {
    Atomics.store(this.#words, at, value);
  }

  glance(at: number): number {
    return Atomics.load(this.#words, at);
  }

  loadTime(at: number): number {
    return this.#times[at / WORDS_PER_TIME] ?? 0;
  }

  storeTime(at: number, epochMs: number): void {
    this.#times[at / WORDS_PER_TIME] = epochMs;
  }

  wake(at: number): void {
    Atomics.notify(this.#words, at);
  }

  sleep(at: number, value: number, limitMs: number): void {
    Atomics.wait(this.#words, at, value, limitMs);
  }
}
