/**
 * The parts of a model's streamed answer, read only as fast as somebody reads them here, and
 * watched: silence, a broken connection, an end that is none. What goes wrong is its last part,
 * an error that says so.
 */
import { brokenOff, explain, type Scene } from './explain.ts';
import { LlmError } from './llm-error.ts';
import type { ChatModel } from './provider.ts';

type Streamed = Awaited<ReturnType<ChatModel['doStream']>>['stream'];
export type StreamPart = Streamed extends ReadableStream<infer Part> ? Part : never;
type FinishPart = Extract<StreamPart, { type: 'finish' }>;

export interface Watch {
  model: string;
  scene: Scene;
  idleTimeoutMs: number;
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
          // without a reason of the server's own, it is the end of the connection
          else if (value.type === 'finish' && isUnfounded(value)) {
            fail(controller, brokenOff(watch.scene));
          } else {
            controller.enqueue(value);
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

function isUnfounded({ finishReason }: FinishPart): boolean {
  return finishReason.unified === 'other' && finishReason.raw === undefined;
}

/** Only while somebody waits for the server: a slow reader is none of its fault. */
async function withinTime<T>(next: Promise<T>, { idleTimeoutMs, scene }: Watch): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const said = `${scene.endpoint} was silent for ${String(idleTimeoutMs)} ms in its answer`;
      reject(new LlmError('LLM_TIMEOUT', `${said}: ask again, or raise idleTimeoutMs`));
    }, idleTimeoutMs);
  });
  try {
    return await Promise.race([next, silence]);
  } finally {
    clearTimeout(timer);
  }
}
