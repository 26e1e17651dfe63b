/** The shape of what a spec says of a WebAssembly plugin. */
import { z } from 'zod';

import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { WASM_OUTPUTS, WASM_PAGES_MAX } from '../protocol/wasm.ts';

const bytes = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31);

/** @param path of a file; @param file a path, alone or with its hash. */
export const wasmOptions = (path: z.ZodType, file: z.ZodType) =>
  z
    .strictObject({
      function: z.string().min(1),
      output: z.enum(WASM_OUTPUTS),
      wasi: z.boolean(),
      modules: z.record(z.string().min(1), file),
      hostFunctions: path,
      memoryPagesMax: z.number().int().min(1).max(WASM_PAGES_MAX),
      variableBytesMax: bytes,
      httpBytesMax: bytes.max(DEFAULT_LIMITS.payloadBytesMax),
      httpTimeoutMs: z
        .number()
        .min(1)
        .max(2 ** 31 - 1),
    })
    .partial()
    .optional()
    .describe('Of host wasm only');

const host = z
  .string()
  .regex(
    /^(\*|(\*\.)?[\w-]+(\.[\w-]+)*|\[[\da-f:.]+\])(:\d{1,5})?$/i,
    'must be a host as in a URL, without scheme and path: api.example.com, *.example.com, 10.0.0.1:8080',
  );

export const httpHosts = z
  .array(z.union([host, z.strictObject({ host, private: z.boolean().optional() })]))
  .optional();
