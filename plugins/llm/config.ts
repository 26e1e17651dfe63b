/** What an llm plugin is configured with, checked: by the factory, and again in its thread. */
import { z } from 'zod';

import { TIME_MS_MAX } from '../input.ts';

const COUNT = z.number().int().min(1);
const TIME_MS = z.number().int().min(1).max(TIME_MS_MAX);
const SCHEMA = z.record(z.string(), z.unknown());
const CAPABILITY = z.strictObject({ capability: z.string().min(1) });

export const TOOLS = z.union([
  z.literal('all'),
  CAPABILITY,
  z.array(
    z.union([
      z.string().min(1),
      CAPABILITY,
      z.strictObject({
        plugin: z.string().min(1),
        description: z.string().optional(),
        inputSchema: SCHEMA.optional(),
      }),
      z.strictObject({
        name: z.string().regex(/^[\w-]{1,64}$/, 'is 1 to 64 letters, digits, _ or -'),
        description: z.string().optional(),
        inputSchema: SCHEMA,
      }),
    ]),
  ),
]);

/** What a request may say, too. */
export const SAMPLING = {
  system: z.string().optional(),
  temperature: z.number().min(0).optional(),
  topP: z.number().min(0).max(1).optional(),
  maxTokens: COUNT.optional(),
  stop: z.array(z.string()).optional(),
  seed: z.number().int().optional(),
  tools: TOOLS.optional(),
};

const RETRIES = z.strictObject({
  max: z.number().int().min(0).default(3),
  minMs: TIME_MS.default(500),
  maxMs: TIME_MS.default(20_000),
  retryAfterMsMax: z.number().int().min(0).default(60_000),
});

export const CONFIG = z.strictObject({
  baseUrl: z
    .url({ protocol: /^https?$/, error: 'is an http or https URL' })
    .refine(hasNoPassword, 'has no user and password in it: use apiKey or headers')
    .optional(),
  apiKey: z.string().min(1).optional(),
  apiKeyEnv: z.string().min(1),
  provider: z.string().min(1).optional(),
  settings: SCHEMA.optional(),
  headers: z.record(z.string(), z.string()).optional(),
  model: z.string().min(1).optional(),
  embeddingModel: z.string().min(1).optional(),
  ...SAMPLING,
  maxSteps: COUNT.default(10),
  toolTimeoutMs: TIME_MS.optional(),
  toolResultCharsMax: COUNT.default(100_000),
  requestTimeoutMs: TIME_MS.default(120_000),
  idleTimeoutMs: TIME_MS.default(60_000),
  retries: z
    .preprocess((retries) => (typeof retries === 'number' ? { max: retries } : retries), RETRIES)
    .default(RETRIES.parse({})),
  requestsPerMinute: COUNT.optional(),
  tokensPerMinute: COUNT.optional(),
  requestsAtOnce: COUNT.optional(),
  rateLimitWaitMsMax: z.number().int().min(0).default(60_000),
  responseBytesMax: COUNT.default(32 * 1024 * 1024),
  repairs: z.number().int().min(0).max(10).default(1),
  structuredOutputs: z.boolean().default(true),
  streamUsage: z.boolean().default(true),
  prices: z
    .record(
      z.string(),
      z.strictObject({ prompt: z.number().min(0), completion: z.number().min(0).optional() }),
    )
    .optional(),
});

export type LlmConfig = z.output<typeof CONFIG>;

function hasNoPassword(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}
