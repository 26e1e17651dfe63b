/** One chat on its way: what the AI SDK is told, and what its steps make of it. */
import { Output, stepCountIs, type ModelMessage, type StepResult, type ToolSet } from 'ai';

import { messageOf } from '../coded-error.ts';
import type { LlmConfig } from './config.ts';
import type { OnBehalf } from './guarded-models.ts';
import type { ChatRequest } from './input.ts';
import { jsonOf } from './json-safe.ts';
import { LlmError } from './llm-error.ts';
import type { Fitting } from './object-schema.ts';
import type { ChatModel } from './provider.ts';
import type { LlmAnswer, LlmMessage, LlmToolCall, LlmUsage } from './types.ts';

/** Everything that is settled before the model is asked. */
export interface ChatCall {
  request: ChatRequest;
  config: LlmConfig;
  model: ChatModel;
  tools: ToolSet;
  /** Where the answer has to fit a schema. */
  fitting: Fitting | undefined;
  call: OnBehalf;
  usageOf(promptTokens: number, completionTokens: number): LlmUsage;
}

type Steps = readonly StepResult<ToolSet>[];

/** The conversation so far is apart: a repair goes on with a longer one. */
export function settingsOf(
  { request, config, model, tools, call }: ChatCall,
  messages: readonly LlmMessage[],
  maxSteps = maxStepsOf(request, config),
) {
  const { temperature, topP, maxTokens, stop, seed } = { ...config, ...definedOf(request) };
  const system = systemOf(request, config);
  return {
    model,
    messages: [...messages] as ModelMessage[],
    allowSystemInMessages: true,
    ...(system === undefined ? {} : { system }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
    ...(stop === undefined ? {} : { stopSequences: stop }),
    ...(seed === undefined ? {} : { seed }),
    ...(Object.keys(tools).length === 0 ? {} : { tools }),
    ...toolChoiceOf(request),
    ...(request.providerOptions === undefined
      ? {}
      : { providerOptions: request.providerOptions as Record<string, Record<string, never>> }),
    output: outputOf(request),
    stopWhen: stepCountIs(maxSteps),
    // requests are tried again one by one, in the sender
    maxRetries: 0,
    abortSignal: call.signal,
  };
}

/** `required` is of the first step: else the model could never answer. */
function toolChoiceOf({ toolChoice }: ChatRequest) {
  if (toolChoice === undefined) return {};
  if (toolChoice !== 'required') return { toolChoice };
  return {
    toolChoice,
    prepareStep: ({ stepNumber }: { stepNumber: number }) =>
      stepNumber === 0 ? {} : { toolChoice: 'auto' as const },
  };
}

export function maxStepsOf(request: ChatRequest, config: LlmConfig): number {
  return request.maxSteps ?? config.maxSteps;
}

/** @throws LlmError `LLM_TOO_MANY_STEPS` where the model would go on calling tools. */
export function refuseEndless(steps: Steps, { request, config, tools }: ChatCall): void {
  const last = steps.at(-1);
  if (last?.finishReason !== 'tool-calls' || steps.length < maxStepsOf(request, config)) return;
  // a call that is the caller's to run is an end like another
  if (toolCallsOf([last]).some((one) => !('result' in one) && one.error === undefined)) return;
  if (Object.keys(tools).length === 0 && last.toolCalls.length === 0) return;
  throw new LlmError(
    'LLM_TOO_MANY_STEPS',
    `the model still calls tools after ${String(steps.length)} steps: raise maxSteps, or offer ` +
      'fewer tools',
  );
}

/** What all steps came to. */
export function answerOf(steps: Steps, chat: ChatCall): Omit<LlmAnswer, 'text'> {
  const last = steps.at(-1);
  const sum = (of: (step: StepResult<ToolSet>) => number | undefined): number =>
    steps.reduce((total, step) => total + (of(step) ?? 0), 0);
  const reasoning = steps
    .map(({ reasoningText }) => reasoningText ?? '')
    .filter(Boolean)
    .join('\n');
  return {
    usage: chat.usageOf(
      sum(({ usage }) => usage.inputTokens),
      sum(({ usage }) => usage.outputTokens),
    ),
    toolCalls: toolCallsOf(steps),
    finishReason: last?.finishReason ?? 'other',
    steps: steps.length,
    messages: messagesOf(last),
    model: chat.model.modelId,
    ...(reasoning === '' ? {} : { reasoning }),
  };
}

/** What goes behind the request's messages. */
export function messagesOf(last: StepResult<ToolSet> | undefined): LlmMessage[] {
  const messages = last?.response.messages ?? [];
  return messages.map(({ role, content }) => ({
    role,
    content: typeof content === 'string' ? content : content.map((part) => definedOf(part)),
  })) as LlmMessage[];
}

function toolCallsOf(steps: Steps): LlmToolCall[] {
  return steps.flatMap(({ content }) => {
    const outcomes = new Map<string, Pick<LlmToolCall, 'result' | 'error'>>();
    for (const part of content) {
      if (part.type === 'tool-result')
        outcomes.set(part.toolCallId, { result: part.output as unknown });
      if (part.type === 'tool-error') {
        outcomes.set(part.toolCallId, { error: messageOf(part.error) });
      }
    }
    return content
      .filter((part) => part.type === 'tool-call')
      .map(({ toolCallId: id, toolName: name, input }) =>
        Object.assign({ id, name, arguments: input }, outcomes.get(id)),
      );
  });
}

/** The schema goes to the server where that takes one; the text is read here, with repairs. */
function outputOf({ schema }: ChatRequest) {
  const text = Output.text();
  if (!schema) return text;
  const format = { type: 'json' as const, schema, name: 'answer' };
  return { ...text, responseFormat: Promise.resolve(format) };
}

function systemOf({ schema, system }: ChatRequest, config: LlmConfig): string | undefined {
  const own = system ?? config.system;
  if (!schema || config.structuredOutputs) return own;
  const order = `Answer with JSON alone. It has to fit this JSON Schema: ${jsonOf(schema)}`;
  return own === undefined ? order : `${own}\n\n${order}`;
}

function definedOf<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, part]) => part !== undefined),
  ) as Partial<T>;
}
