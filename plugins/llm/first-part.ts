/**
 * The beginning of a streamed answer, up to the first part that is handed out. What breaks before
 * it has shown nobody anything: the request may be made again.
 */
import { brokenOff } from './explain.ts';
import { isUnfounded, withinTime, type Silence, type StreamPart } from './stream-parts.ts';

/**
 * The same stream, once it has its first part that reaches a reader.
 *
 * @throws LlmError `LLM_TIMEOUT`, `LLM_DISCONNECTED`; what the server sent instead
 */
export async function begun(
  source: ReadableStream<StreamPart>,
  silence: Silence,
): Promise<ReadableStream<StreamPart>> {
  const reader = source.getReader();
  const read: StreamPart[] = [];
  for (;;) {
    const { done, value } = await withinTime(reader.read(), silence);
    if (done || isUnfounded(value)) throw brokenOff(silence.scene);
    if (value.type === 'error') throw value.error;
    read.push(value);
    if (isHandedOut(value)) return continued(read, reader);
  }
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
