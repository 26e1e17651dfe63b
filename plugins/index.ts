/** Door 3, `troupe/plugins`: factories of the bundled plugins. Each returns a typed spec. */
export { llmPlugin } from './llm/spec.ts';
export type { JsonSchema } from './llm/types.ts';
export type { LlmAnswer } from './llm/types.ts';
export type { LlmEmbedRequest } from './llm/types.ts';
export type { LlmErrorCode } from './llm/errors.ts';
export type { LlmInput } from './llm/types.ts';
export type { LlmMessage } from './llm/types.ts';
export type { LlmMethods } from './llm/types.ts';
export type { LlmOptions } from './llm/types.ts';
export type { LlmPart } from './llm/types.ts';
export type { LlmPrice } from './llm/types.ts';
export type { LlmRequest } from './llm/types.ts';
export type { LlmStats } from './llm/types.ts';
export type { LlmToolCall } from './llm/types.ts';
export type { LlmTools } from './llm/types.ts';
export type { LlmToolSource } from './llm/types.ts';
export type { LlmUsage } from './llm/types.ts';
export type { LlmVectors } from './llm/types.ts';
