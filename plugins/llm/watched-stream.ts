/**
 * The parts of a model's streamed answer, read only as fast as somebody reads them here, and
 * watched: silence, a broken connection, an end that is none. What goes wrong is its last part,
 * an error that says so.
 */
import { distinctCalls } from './call-ids.ts';
import { brokenOff, explain } from './explain.ts';
import type { LlmError } from './llm-error.ts';
import {
  isUnfounded,
  withinTime,
  type FinishPart,
  type Silence,
  type StreamPart,
} from './stream-parts.ts';

export interface Watch extends Silence {
  model: string;
  /** Of the call: where it aborts, nobody is to blame. */
  signal: AbortSignal;
  /** When the next part may be read. */
  turn(): Promise<void>;
  /** Ends the HTTP exchange. */
  abort(reason: Error): void;
  first(): void;
  /** One of the following three, once. */
  finished(usage: FinishPart['usage']): void;
  failed(failure: LlmError): void;
  /** Nobody reads on. */
  leftAlone(): void;
}

export function watched(
  source: ReadableStream<StreamPart>,
  watch: Watch,
): ReadableStream<StreamPart> {
  const reader = source.getReader();
  const distinct = distinctCalls();
  let isFirst = true;

  const fail = (controller: ReadableStreamDefaultController<StreamPart>, error: unknown): void => {
    const failure = explain(error, watch.model, watch.scene);
    watch.failed(failure);
    controller.enqueue({ type: 'error', error: failure });
    controller.close();
    watch.abort(failure);
  };

  return new ReadableStream<StreamPart>(
    {
      async pull(controller) {
        try {
          await watch.turn();
          const { done, value } = await withinTime(reader.read(), watch);
          if (done) {
            fail(controller, brokenOff(watch.scene));
            return;
          }
          if (isFirst && value.type !== 'stream-start' && value.type !== 'response-metadata') {
            isFirst = false;
            watch.first();
          }
          if (value.type === 'error') fail(controller, value.error);
          else if (isUnfounded(value)) fail(controller, brokenOff(watch.scene));
          else {
            controller.enqueue(distinct(value));
            if (value.type !== 'finish') return;
            watch.finished(value.usage);
            controller.close();
          }
        } catch (error) {
          if (!watch.signal.aborted) {
            fail(controller, error);
            return;
          }
          watch.leftAlone();
          controller.error(watch.signal.reason);
        }
      },
      async cancel(reason: unknown) {
        watch.leftAlone();
        watch.abort(reason instanceof Error ? reason : new Error('nobody reads on'));
        await reader.cancel(reason).catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
