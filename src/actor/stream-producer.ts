/** Turns a plugin's iterator into chunks, never more of them than the reader gave credit for. */
import { BATCH_DELAY_MS, STREAM_CREDIT_CHUNKS } from '../protocol/limits.ts';
import type { Producer } from './running-call.ts';
import { isThenable } from './thenable.ts';

export interface StreamSink {
  /** @param now as of `performance.now()`. */
  chunk(value: unknown, now: number): void;
  /** Nothing follows for now: what waits may go out. */
  pause(): void;
  end(): void;
  fail(error: unknown): void;
}

type Source = Iterator<unknown> | AsyncIterable<unknown>;

/** An async iterable, or an iterator with `next`: an array or a Map is a value, not a stream. */
export function isStream(value: unknown): value is Source {
  if (typeof value !== 'object' || value === null) return false;
  if (Symbol.asyncIterator in value) return true;
  return 'next' in value && typeof value.next === 'function' && Symbol.iterator in value;
}

/** All chunks, for a caller who asked for one result. */
export async function collect(source: Source): Promise<unknown[]> {
  const all: unknown[] = [];
  const iterator = iteratorOf(source);
  for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
    try {
      all.push(await step.value);
    } catch (error) {
      await closed(iterator);
      throw error;
    }
  }
  return all;
}

export class StreamProducer implements Producer {
  readonly #iterator: Iterator<unknown> | AsyncIterator<unknown>;
  readonly #sink: StreamSink;
  #credit = STREAM_CREDIT_CHUNKS;
  #cancelled = false;
  #wake: (() => void) | undefined;

  constructor(source: Source, sink: StreamSink) {
    this.#iterator = iteratorOf(source);
    this.#sink = sink;
  }

  credit(chunks: number): void {
    this.#credit += chunks;
    this.#wake?.();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#wake?.();
  }

  async run(): Promise<void> {
    try {
      let sliceStart = performance.now();
      for (;;) {
        while (this.#credit === 0 && !this.#cancelled) {
          this.#sink.pause();
          await new Promise<void>((resolve) => (this.#wake = resolve));
          sliceStart = performance.now();
        }
        if (this.#cancelled) break;
        const next = this.#iterator.next();
        const step = isThenable(next) ? await next : next;
        if (step.done === true) {
          this.#sink.end();
          return;
        }
        let now: number;
        try {
          const chunk: unknown = isThenable(step.value) ? await step.value : step.value;
          this.#credit--;
          now = performance.now();
          this.#sink.chunk(chunk, now);
        } catch (error) {
          await closed(this.#iterator);
          throw error;
        }
        if (now - sliceStart > BATCH_DELAY_MS) {
          // a synchronous generator would never let a cancel, or the credit, come in
          this.#sink.pause();
          await new Promise<void>((resolve) => setImmediate(resolve));
          sliceStart = performance.now();
        }
      }
      await this.#iterator.return?.();
      this.#sink.end();
    } catch (error) {
      this.#sink.fail(error);
    }
  }
}

function iteratorOf(source: Source): Iterator<unknown> | AsyncIterator<unknown> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source;
}

/** Its `finally` blocks run. What they throw is not what went wrong. */
async function closed(iterator: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // the first error is told
  }
}
