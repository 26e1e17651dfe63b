/** Checks options of built-in tools where they are given: unknown and wrong ones are refused by name. */
import { isIP } from 'node:net';
import path from 'node:path';

import { z } from 'zod';

import { TIME_MS_MAX } from '../input.ts';
import type { BuiltinName } from './options.ts';

const MIB = 1024 * 1024;
const count = (max: number): z.ZodNumber => z.number().int().min(1).max(max);
const milliseconds = z.number().min(1).max(TIME_MS_MAX);
const headers = z.record(
  z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'is no header name'),
  z.string(),
);

const host = z
  .string()
  .regex(/^(\*\.)?([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i, 'must be a host, *.host or host:port');

const privateAddress = z.string().refine((text) => {
  const [, bare = '', port] = /^\[?([\da-f:.]+?)\]?:(\d{1,5})$/i.exec(text) ?? [];
  return isIP(bare) !== 0 && Number(port) < 65_536 && (isIP(bare) === 4 || text.startsWith('['));
}, 'must be an address with its port, as 127.0.0.1:8080 or [::1]:8080; names are not taken');

const folder = z.string().min(1);
const pattern = z.union([
  z.instanceof(RegExp),
  z.string().refine(isPattern, 'is no regular expression'),
]);
const uses = { max: count(1_000).optional() };

const argument = z.union([
  z.strictObject({ enum: z.array(z.string()).min(1), ...uses }),
  z.strictObject({ pattern, option: z.boolean().optional(), ...uses }),
  z.strictObject({ path: z.literal(true), ...uses }),
]);

const command = z.strictObject({
  program: z
    .string()
    .refine((text) => path.isAbsolute(text), 'must be an absolute path')
    .optional(),
  prefix: z.array(z.string()).optional(),
  arguments: z.array(argument).optional(),
  argumentsMax: count(1_000).optional(),
  stdin: z.boolean().optional(),
  description: z.string().optional(),
});

export const BUILTIN_OPTIONS: Record<BuiltinName, z.ZodType> = {
  http_request: z.strictObject({
    allow: z.array(host).optional(),
    deny: z.array(host).optional(),
    allowPrivate: z.array(privateAddress).optional(),
    methods: z
      .array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']))
      .min(1)
      .optional(),
    hostHeaders: z.record(host, headers).optional(),
    responseBytesMax: count(16 * MIB).optional(),
    requestBytesMax: count(16 * MIB).optional(),
    redirectsMax: z.number().int().min(0).max(20).optional(),
  }),
  filesystem: z.strictObject({
    roots: z.union([
      folder,
      z.record(z.string().regex(/^[\w-]{1,64}$/, 'must be letters, digits, _ or -'), folder),
    ]),
    write: z.boolean().optional(),
    bytesMax: count(16 * MIB).optional(),
    entriesMax: count(100_000).optional(),
  }),
  shell: z.strictObject({
    commands: z
      .record(z.string().regex(/^[\w.+-]{1,64}$/, 'must be a name, not a path'), command)
      .refine((commands) => Object.keys(commands).length > 0, 'must have one at least'),
    cwd: folder,
    env: z.record(z.string(), z.string()).optional(),
    path: z
      .array(z.string().refine((text) => path.isAbsolute(text), 'must be absolute'))
      .min(1)
      .optional(),
    outputBytesMax: count(4 * MIB).optional(),
  }),
  calculator: z.strictObject({}),
  datetime: z.strictObject({}),
  json: z.strictObject({
    resultsMax: count(100_000).optional(),
    documentBytesMax: count(16 * MIB).optional(),
  }),
  script: z.strictObject({
    memoryMb: z.number().min(1).max(1_024).optional(),
    stackKb: z.number().int().min(16).max(512).optional(),
    runMs: milliseconds.optional(),
    resultBytesMax: count(16 * MIB).optional(),
  }),
};

/** An entry of `tools` that is an object. */
export const BUILTIN_ENTRY = z.strictObject({
  name: z.string(),
  options: z.unknown().optional(),
  as: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -')
    .optional(),
  description: z.string().optional(),
  confirm: z.boolean().optional(),
  timeoutMs: milliseconds.optional(),
});

export const PLUGIN_OPTIONS = z.strictObject({
  tools: z.unknown().optional(),
  timeoutMs: milliseconds.optional(),
  confirmTimeoutMs: milliseconds.optional(),
  capabilities: z.array(z.string().min(1)).optional(),
});

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
