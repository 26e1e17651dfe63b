/** What a call may ask, checked where it comes in. Messages are checked by the AI SDK, which knows them. */
import { z } from 'zod';

import { amongKnown } from '../input.ts';
import { problemsOf } from '../zod-problems.ts';
import { SAMPLING } from './config.ts';
import { LlmError } from './llm-error.ts';
import type { LlmEmbedRequest, LlmMessage, LlmRequest } from './types.ts';

const MODEL = z.string().min(1).optional();

const CHAT = z
  .strictObject({
    op: z.literal('chat').optional(),
    prompt: z.string().min(1).optional(),
    messages: z
      .array(z.looseObject({ role: z.string() }))
      .min(1)
      .optional(),
    model: MODEL,
    ...SAMPLING,
    toolChoice: z.enum(['auto', 'none', 'required']).optional(),
    schema: z.record(z.string(), z.unknown()).optional(),
    maxSteps: z.number().int().min(1).optional(),
    providerOptions: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  })
  .refine(({ prompt, messages }) => (prompt === undefined) !== (messages === undefined), {
    error: 'give either "prompt" or "messages"',
  });

const EMBED = z.strictObject({
  op: z.literal('embed'),
  texts: z.array(z.string()),
  model: MODEL,
});

export type Asked =
  | { kind: 'text'; request: ChatRequest }
  | { kind: 'chat'; request: ChatRequest }
  | { kind: 'embed'; request: LlmEmbedRequest };

/** A request whose conversation is in `messages`. */
export type ChatRequest = Omit<LlmRequest, 'prompt' | 'messages'> & { messages: LlmMessage[] };

/** @throws LlmError `LLM_INVALID_INPUT`, which names the field. */
export function decodeInput(input: unknown): Asked {
  if (typeof input === 'string') {
    return { kind: 'text', request: chatOf(decoded(CHAT, { prompt: input })) };
  }
  if (Array.isArray(input)) {
    return { kind: 'chat', request: chatOf(decoded(CHAT, { messages: input })) };
  }
  if (typeof input !== 'object' || input === null) {
    throw wrong('it takes a text, a list of messages, or an object with prompt, messages or op');
  }
  const op = 'op' in input ? input.op : undefined;
  if (op === 'embed') return { kind: 'embed', request: decoded(EMBED, input) };
  if (op === undefined || op === 'chat') {
    return { kind: 'chat', request: chatOf(decoded(CHAT, input)) };
  }
  throw wrong(`there is no op ${amongKnown(op, ['chat', 'embed'])}`);
}

function chatOf({ prompt, messages, ...rest }: z.output<typeof CHAT>): ChatRequest {
  // the rest of what a message holds is checked by the AI SDK
  const given = messages as LlmMessage[] | undefined;
  return { ...rest, messages: given ?? [{ role: 'user', content: prompt ?? '' }] };
}

function decoded<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw wrong(problemsOf(parsed.error));
  return parsed.data;
}

function wrong(why: string): LlmError {
  return new LlmError('LLM_INVALID_INPUT', `the input is not valid: ${why}`);
}
