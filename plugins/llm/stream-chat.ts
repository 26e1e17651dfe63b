/** A chat whose answer comes in parts, as fast as they are read. */
import { streamText } from 'ai';

import { messageOf } from '../coded-error.ts';
import { answerOf, refuseEndless, settingsOf, type ChatCall } from './chat-call.ts';
import { misfit } from './complete.ts';
import type { Pace } from './pace.ts';
import type { LlmPart } from './types.ts';

/** @throws LlmError after the parts there were; the signal's reason */
export async function* streamChat(chat: ChatCall, pace: Pace): AsyncGenerator<LlmPart> {
  const left = new AbortController();
  const signal = AbortSignal.any([chat.call.signal, left.signal]);
  const settings = settingsOf(chat, chat.request.messages);
  const result = streamText({
    ...settings,
    abortSignal: signal,
    // told by a part, and thrown from there
    onError: () => undefined,
  });
  let text = '';
  try {
    for await (const part of pace.read(result.fullStream)) {
      switch (part.type) {
        case 'text-delta':
          text += part.text;
          yield { type: 'text', text: part.text };
          break;
        case 'reasoning-delta':
          yield { type: 'reasoning', text: part.text };
          break;
        case 'tool-call':
          yield {
            type: 'tool-call',
            id: part.toolCallId,
            name: part.toolName,
            arguments: part.input,
          };
          break;
        case 'tool-result':
          yield {
            type: 'tool-result',
            id: part.toolCallId,
            name: part.toolName,
            result: part.output as unknown,
          };
          break;
        case 'tool-error':
          yield {
            type: 'tool-error',
            id: part.toolCallId,
            name: part.toolName,
            error: messageOf(part.error),
          };
          break;
        case 'start-step':
          // what has to fit a schema is the last step's
          text = '';
          break;
        case 'error':
          throw part.error;
        case 'abort':
          throw signal.reason as Error;
        default:
      }
    }
    const steps = await result.steps;
    refuseEndless(steps, chat);
    const { reasoning: _, ...answer } = answerOf(steps, chat);
    if (chat.fitting && answer.finishReason !== 'tool-calls') {
      const fit = chat.fitting(text);
      if ('problem' in fit) throw misfit(fit.problem, answer.finishReason);
      yield { type: 'object', object: fit.object };
    }
    yield { type: 'finish', ...answer };
  } finally {
    left.abort(new Error('nobody reads on'));
  }
}
