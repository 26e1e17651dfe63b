/** What a model's streamed answer is made of, and how long one waits for the next piece of it. */
import type { Scene } from './explain.ts';
import { LlmError } from './llm-error.ts';
import type { ChatModel } from './provider.ts';

type Streamed = Awaited<ReturnType<ChatModel['doStream']>>['stream'];
export type StreamPart = Streamed extends ReadableStream<infer Part> ? Part : never;
export type FinishPart = Extract<StreamPart, { type: 'finish' }>;

export interface Silence {
  scene: Scene;
  /** The longest there may be. */
  idleTimeoutMs: number;
}

/** An end without a reason of the server's own is the end of the connection. */
export function isUnfounded(part: StreamPart): boolean {
  if (part.type !== 'finish') return false;
  const { unified, raw } = part.finishReason;
  return unified === 'other' && raw === undefined;
}

/** Only while somebody waits for the server: a slow reader is none of its fault. */
export async function withinTime<T>(
  next: Promise<T>,
  { idleTimeoutMs, scene }: Silence,
): Promise<T> {
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
