/**
 * The reading end of a stream: chunks wait here until they are taken, and taking them gives the
 * producer credit for more. Breaking off cancels the producer; an error comes after the chunks
 * before it.
 */
import type { CreditWindow } from './credit-window.ts';

export interface ChunkQueueOptions {
  /** The reader took enough: so many more may come. */
  grant(chunks: number): void;
  /** The reader broke off. */
  cancel(): void;
  /** How far the producer may be ahead. */
  credit: CreditWindow;
}

const CUT_CHUNKS = 256;

interface Waiting<T> {
  resolve(step: IteratorResult<T, undefined>): void;
  reject(error: Error): void;
}

export class ChunkQueue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #options: ChunkQueueOptions;
  #chunks: (T | undefined)[] = [];
  /** Where the first one is that was not taken. */
  #first = 0;
  #readers: Waiting<T>[] = [];
  #end: { error?: Error } | undefined;

  constructor(options: ChunkQueueOptions) {
    this.#options = options;
  }

  /** @param bytes what it took to carry it. */
  push(chunk: T, bytes: number): void {
    if (this.#end) return;
    this.#options.credit.came(bytes);
    const reader = this.#readers.shift();
    if (reader) {
      this.#took();
      reader.resolve({ value: chunk, done: false });
    } else this.#chunks.push(chunk);
  }

  /** One came that nobody gets. */
  skip(): void {
    this.#took();
  }

  end(): void {
    this.#finish({});
  }

  fail(error: Error): void {
    this.#finish({ error });
  }

  /** Ends with an error that the producer does not know of, and tells it to stop. */
  abandon(error: Error): void {
    if (this.#end) return;
    this.#finish({ error });
    this.#options.cancel();
  }

  /** Stops reading: what has come is dropped, the producer is told. */
  cancel(): void {
    this.#drop();
    if (this.#end) {
      this.#end = {};
      return;
    }
    this.#finish({});
    this.#options.cancel();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#first < this.#chunks.length) {
      const chunk = this.#shift();
      this.#took();
      return Promise.resolve({ value: chunk, done: false });
    }
    if (this.#end) {
      const { error } = this.#end;
      if (error === undefined) return Promise.resolve({ value: undefined, done: true });
      this.#end = {};
      return Promise.reject(error);
    }
    this.#options.credit.waited();
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.cancel();
    return Promise.resolve({ value: undefined, done: true });
  }

  throw(error: Error): Promise<IteratorResult<T, undefined>> {
    this.cancel();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #took(): void {
    if (this.#end) return;
    const credit = this.#options.credit.took();
    if (credit > 0) this.#options.grant(credit);
  }

  /** The array is cut once in a while: to shift each chunk out would move all behind it. */
  #shift(): T {
    const chunk = this.#chunks[this.#first] as T;
    this.#chunks[this.#first++] = undefined;
    if (this.#first === this.#chunks.length || this.#first === CUT_CHUNKS) {
      this.#chunks.splice(0, this.#first);
      this.#first = 0;
    }
    return chunk;
  }

  #drop(): void {
    this.#chunks = [];
    this.#first = 0;
  }

  #finish(end: { error?: Error }): void {
    if (this.#end) return;
    this.#end = end;
    const readers = this.#readers;
    this.#readers = [];
    for (const [i, reader] of readers.entries()) {
      if (i === 0 && end.error !== undefined) {
        this.#end = {};
        reader.reject(end.error);
      } else reader.resolve({ value: undefined, done: true });
    }
  }
}
