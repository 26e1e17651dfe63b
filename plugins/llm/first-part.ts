/**
 * The beginning of a streamed answer, up to the first part that is handed out. What breaks before
 * it has shown nobody anything: the request may be made again.
 */
import { brokenOff } from './explain.ts';
import { isUnfounded, withinTime, type Silence, type StreamPart } from './stream-parts.ts';

/**
 * The same stream, once it has its first part that reaches a reader.
 *
 * @throws LlmError `LLM_TIMEOUT`, `LLM_DISCONNECTED`; what the server sent instead; the signal's reason
 */
export async function begun(
  source: ReadableStream<StreamPart>,
  silence: Silence,
  signal: AbortSignal,
): Promise<ReadableStream<StreamPart>> {
  const reader = source.getReader();
  const read: StreamPart[] = [];
  // a provider need not listen to it itself
  const givenUp = whenAborted(signal);
  for (;;) {
    const { done, value } = await withinTime(Promise.race([reader.read(), givenUp]), silence);
    if (done || isUnfounded(value)) throw brokenOff(silence.scene);
    if (value.type === 'error') throw value.error;
    read.push(value);
    if (isHandedOut(value)) return continued(read, reader);
  }
}

/** Never settles otherwise. Listeners go with the signal, which is the call's own. */
function whenAborted(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  aborted.catch(() => undefined);
  return aborted;
}

function isHandedOut(part: StreamPart): boolean {
  switch (part.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return part.delta !== '';
    case 'tool-call':
    case 'tool-result':
    case 'finish':
      return true;
    default:
      return false;
  }
}

function continued(
  read: StreamPart[],
  reader: ReadableStreamDefaultReader<StreamPart>,
): ReadableStream<StreamPart> {
  return new ReadableStream<StreamPart>(
    {
      async pull(controller) {
        const first = read.shift();
        const { done, value } = first ? { done: false, value: first } : await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
