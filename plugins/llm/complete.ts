/** A chat whose answer comes as a whole. */
import { generateText } from 'ai';

import {
  answerOf,
  maxStepsOf,
  messagesOf,
  refuseEndless,
  settingsOf,
  type ChatCall,
} from './chat-call.ts';
import { LlmError } from './llm-error.ts';
import type { LlmAnswer } from './types.ts';

/** @throws LlmError; the signal's reason */
export async function complete(chat: ChatCall): Promise<LlmAnswer> {
  const { request, fitting, config } = chat;
  let result = await generateText(settingsOf(chat, request.messages));
  const steps = [...result.steps];
  refuseEndless(steps, chat);
  if (!fitting) return { text: result.text, ...answerOf(steps, chat) };

  const said = [...messagesOf(steps.at(-1))];
  for (let repairs = 0; ; repairs++) {
    const answer = { text: result.text, ...answerOf(steps, chat), messages: said };
    // the caller has to run a tool first
    if (answer.finishReason === 'tool-calls') return answer;
    const fit = fitting(result.text);
    if ('object' in fit) return { ...answer, object: fit.object };
    if (repairs >= config.repairs) throw misfit(fit.problem, answer.finishReason);
    said.push({
      role: 'user',
      content: `Your answer does not fit the JSON Schema: ${fit.problem}. Answer again, with JSON alone.`,
    });
    const stepsLeft = Math.max(1, maxStepsOf(request, config) - steps.length);
    result = await generateText(settingsOf(chat, [...request.messages, ...said], stepsLeft));
    steps.push(...result.steps);
    said.push(...messagesOf(result.steps.at(-1)));
  }
}

export function misfit(problem: string, finishReason: string): LlmError {
  const hint =
    finishReason === 'length' ? 'it was cut: raise maxTokens' : 'see repairs and structuredOutputs';
  return new LlmError(
    'LLM_BAD_OBJECT',
    `the model's answer does not fit the schema: ${problem} (${hint})`,
  );
}
