/** How what a script returns goes out: a value, a promise of one, a stream, an error. Runs inside the VM. */
import type { GuestCodec, HostCalls } from './entrance.ts';
import type { GuestErrors } from './errors.ts';

export interface GuestAnswers {
  /**
   * Answers at once, with the text it returns, or later through `done`.
   *
   * @param ended called once, when nothing of it goes on.
   */
  give(ask: number, produce: () => unknown, ended?: () => void): string | undefined;
  /** The next chunk of a stream that was the answer, in an array; nothing at its end. */
  pull(stream: number): unknown;
  close(stream: number): unknown;
  forget(stream: number): void;
  /** The text of an error; never throws. */
  describe(error: unknown): string;
  clear(): void;
}

export function guestAnswers(
  host: HostCalls,
  codec: GuestCodec,
  errors: GuestErrors,
): GuestAnswers {
  interface Stream {
    iterator: Iterator<unknown> | AsyncIterator<unknown>;
    ended: (() => void) | undefined;
  }
  const streams = new Map<number, Stream>();

  const isThenable = (value: unknown): value is PromiseLike<unknown> =>
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function';

  const iteratorOf = (value: unknown): Stream['iterator'] | undefined => {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Symbol.asyncIterator in value) {
      return (value as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    }
    const isIterator =
      'next' in value && typeof value.next === 'function' && Symbol.iterator in value;
    return isIterator ? (value as Iterator<unknown>) : undefined;
  };

  const describe = (error: unknown): string => {
    try {
      return codec.encode(errors.lower(error));
    } catch {
      return '{"name":"Error","message":"an error that cannot be read"}';
    }
  };

  const failed = (ask: number, error: unknown): void => {
    // anything can be thrown, and asking it what it is may throw again
    const refusal = codec.refusalOf(error);
    if (refusal) host.done(ask, 'refused', codec.encode(refusal));
    else host.done(ask, 'error', describe(error));
  };

  const end = (stream: number): void => {
    streams.get(stream)?.ended?.();
    streams.delete(stream);
  };

  const chunkOf = (stream: number, step: unknown): unknown => {
    const { done, value } = step as { done?: boolean; value: unknown };
    if (done !== true) return isThenable(value) ? value.then((chunk) => [chunk]) : [value];
    end(stream);
    return undefined;
  };

  return {
    describe,
    give(ask, produce, ended) {
      const finished = (value: unknown): string | undefined => {
        const iterator = ended && iteratorOf(value);
        if (iterator) {
          streams.set(ask, { iterator, ended });
          host.done(ask, 'stream', '');
          return undefined;
        }
        const text = codec.encode(value);
        ended?.();
        return text;
      };
      const gone = (error: unknown): void => {
        ended?.();
        failed(ask, error);
      };
      try {
        const value = produce();
        if (!isThenable(value)) return finished(value);
        Promise.resolve(value).then((later) => {
          try {
            const text = finished(later);
            if (text !== undefined) host.done(ask, 'ok', text);
          } catch (error) {
            gone(error);
          }
        }, gone);
        return undefined;
      } catch (error) {
        gone(error);
        return undefined;
      }
    },
    pull(stream) {
      const found = streams.get(stream);
      if (!found) return undefined;
      const step: unknown = found.iterator.next();
      return isThenable(step)
        ? step.then((later) => chunkOf(stream, later))
        : chunkOf(stream, step);
    },
    close(stream) {
      const iterator = streams.get(stream)?.iterator;
      end(stream);
      const closed: unknown = iterator?.return?.();
      return isThenable(closed) ? closed.then(() => undefined) : undefined;
    },
    forget: (stream) => {
      streams.delete(stream);
    },
    clear: () => {
      streams.clear();
    },
  };
}
