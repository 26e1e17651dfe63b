/**
 * The reading end of a stream: chunks wait here until they are taken, and taking them gives the
 * producer credit for more. Breaking off cancels the producer; an error comes after the chunks
 * before it.
 */

export interface ChunkQueueOptions {
  /** The reader took this many chunks: as many more may come. */
  grant(chunks: number): void;
  /** The reader broke off. */
  cancel(): void;
  /** Chunks the producer may be ahead. */
  creditChunks: number;
}

interface Waiting<T> {
  resolve(step: IteratorResult<T, undefined>): void;
  reject(error: Error): void;
}

export class ChunkQueue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #options: ChunkQueueOptions;
  #chunks: T[] = [];
  #readers: Waiting<T>[] = [];
  #taken = 0;
  #end: { error?: Error } | undefined;

  constructor(options: ChunkQueueOptions) {
    this.#options = options;
  }

  push(chunk: T): void {
    if (this.#end) return;
    const reader = this.#readers.shift();
    if (reader) {
      this.#took();
      reader.resolve({ value: chunk, done: false });
    } else this.#chunks.push(chunk);
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
    this.#chunks = [];
    if (this.#end) {
      this.#end = {};
      return;
    }
    this.#finish({});
    this.#options.cancel();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#chunks.length > 0) {
      const chunk = this.#chunks.shift() as T;
      this.#took();
      return Promise.resolve({ value: chunk, done: false });
    }
    if (this.#end) {
      const { error } = this.#end;
      if (error === undefined) return Promise.resolve({ value: undefined, done: true });
      this.#end = {};
      return Promise.reject(error);
    }
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
    this.#taken++;
    // half a window at a time: a credit frame for each chunk would double the traffic
    if (this.#taken >= this.#options.creditChunks / 2 && !this.#end) {
      this.#options.grant(this.#taken);
      this.#taken = 0;
    }
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
