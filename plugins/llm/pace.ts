/**
 * Keeps a stream's source at the pace of its reader. The AI SDK reads what a model streams as fast
 * as it comes, whoever reads the SDK's own stream; so the source gives a part only while that
 * reader waits for one.
 */
import { setImmediate } from 'node:timers/promises';

export class Pace {
  #isWaiting = false;
  #wake: (() => void) | undefined;

  /** The parts as they come, each asked for when the one before was taken. */
  async *read<T>(parts: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = parts[Symbol.asyncIterator]();
    try {
      for (;;) {
        this.#isWaiting = true;
        this.#wake?.();
        const next: IteratorResult<T, unknown> = await iterator.next();
        this.#isWaiting = false;
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** When the source may give its next part. */
  async turn(signal: AbortSignal): Promise<void> {
    // what was given last has reached the reader by then, if it was for the reader
    await setImmediate(undefined, { signal });
    while (!this.#isWaiting) await this.#beginsToWait(signal);
  }

  #beginsToWait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#wake = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
    });
  }
}
