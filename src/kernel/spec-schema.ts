/**
 * The shape of a spec and of plugin.json, checked at the border: unknown or wrong fields are
 * refused by name. The JSON Schema that ships with the package is made from it.
 */
import { z } from 'zod';

import { PluginError } from '../protocol/errors.ts';
import { RELOAD_STRATEGIES, REPLICAS_MAX } from '../protocol/limits.ts';
import {
  CARRIER_KINDS,
  HOST_KINDS,
  ISOLATION_KINDS,
  PLUGIN_TYPES,
  type PluginSpec,
} from '../protocol/manifest.ts';
import { httpHosts, wasmOptions } from './wasm-schema.ts';

export const ID = /^[A-Za-z0-9_][\w.:/-]{0,127}$/;
const milliseconds = z
  .number()
  .min(0)
  .max(2 ** 31 - 1);
const count = z.number().int().min(0);
const threadCount = z.number().int().min(1).max(1_024);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits');

const id = z
  .string()
  .regex(ID, 'must be 1 to 128 letters, digits or any of _ . : / -, and not begin with a sign')
  .describe('Unique within a manager');

const dependency = z.union([
  z.string().min(1),
  z.strictObject({ id, range: z.string().optional(), optional: z.boolean().optional() }),
]);

const limits = z
  .strictObject({
    startTimeoutMs: milliseconds,
    hookTimeoutMs: milliseconds,
    stopTimeoutMs: milliseconds,
    callTimeoutMs: milliseconds,
    graceMs: milliseconds,
    healthTimeoutMs: milliseconds,
    unresponsiveMs: milliseconds,
    memoryMb: z.number().min(16),
    stackMb: z.number().min(1).max(256),
    payloadBytesMax: z.number().int().min(1_024),
    payloadDepthMax: z.number().int().min(1).max(1_000),
    logBytesPerSecMax: count,
  })
  .partial();

const script = z
  .strictObject({
    memoryMb: z.number().min(1).max(2_048),
    stackKb: z.number().int().min(16).max(512),
    operationsMax: count,
  })
  .partial();

const restart = z
  .strictObject({
    type: z.enum(['permanent', 'transient', 'temporary']),
    intensity: count,
    periodMs: z.number().min(1),
    backoff: z
      .strictObject({
        minMs: milliseconds,
        maxMs: milliseconds,
        factor: z.number().min(1),
        jitter: z.number().min(0).max(1),
      })
      .partial(),
    redeliver: count,
    fromSnapshot: z.boolean(),
    snapshotMs: milliseconds.min(10),
  })
  .partial();

const reload = z
  .strictObject({
    watch: z.boolean(),
    strategy: z.enum(RELOAD_STRATEGIES),
    debounceMs: milliseconds,
    attempts: z.number().int().min(1).max(100),
    cooldownMs: milliseconds,
    preserveState: z.boolean(),
    drainTimeoutMs: milliseconds,
  })
  .partial();

/** Node's permission model takes a star anywhere in a path for a wildcard. */
const pathText = z.string().regex(/^(\*|[^*\0]+)$/, "must be a path; '*' alone is every path");

const permissions = (path: z.ZodType) =>
  z
    .strictObject({
      env: z.array(z.string()),
      fs: z.strictObject({ read: z.array(path), write: z.array(path) }).partial(),
      childProcess: z.boolean(),
      worker: z.boolean(),
      addons: z.boolean(),
      http: httpHosts,
    })
    .partial()
    .optional();

const replicaCount = z.number().int().min(1).max(REPLICAS_MAX);
const replicas = z.union([
  replicaCount,
  z.literal('auto'),
  z
    .strictObject({
      min: replicaCount,
      max: replicaCount,
      growAfterMs: milliseconds,
      shrinkAfterMs: milliseconds,
    })
    .partial(),
]);

const fields = {
  id,
  type: z.enum(PLUGIN_TYPES),
  name: z.string().optional(),
  version: z.string().optional().describe('Semver; default 1.0.0'),
  description: z.string().optional(),
  author: z.string().optional(),
  capabilities: z.array(z.string().min(1)).optional(),
  priority: z.number().optional().describe('Higher starts first; default 0'),
  dependencies: z.array(dependency).optional(),
  host: z.enum(HOST_KINDS).optional(),
  isolation: z.enum(ISOLATION_KINDS).optional(),
  carrier: z.enum(CARRIER_KINDS).optional(),
  config: z.record(z.string(), z.unknown()).optional(),
  secrets: z
    .array(z.string().min(1))
    .optional()
    .describe('Paths into config (a.b) whose values never show in errors, logs, events, stats'),
  enabled: z.boolean().optional(),
  autoStart: z.boolean().optional(),
  concurrency: z.number().int().min(1).max(1_024).optional(),
  threads: z
    .union([
      threadCount,
      z.strictObject({ min: threadCount, max: threadCount, idleMs: milliseconds }).partial(),
    ])
    .optional()
    .describe("Of isolation 'pool' only"),
  replicas: replicas.optional().describe('Actors behind the one id'),
  script: script.optional().describe("Of host 'script' only"),
  mailbox: z
    .strictObject({
      capacity: z.number().int().min(1),
      overflow: z.enum(['reject', 'wait']),
      bytesMax: z.number().int().min(1),
    })
    .partial()
    .optional(),
  limits: limits.optional(),
  restart: restart.optional(),
  reload: reload.optional().describe('How it is replaced by a new version of itself'),
};

const manifestEntry = z.union([
  z.string().min(1),
  z.strictObject({ path: z.string().min(1), sha256: sha256.optional() }),
]);
const specEntry = z.union([
  z.string().min(1),
  z.instanceof(URL),
  z.strictObject({
    path: z.union([z.string().min(1), z.instanceof(URL)]),
    sha256: sha256.optional(),
  }),
]);

const modules = (file: z.ZodType) =>
  z
    .record(z.string().min(1), file)
    .optional()
    .describe('What the plugin imports beside its entry, by name; as ctx.modules');

const MANIFEST = z.strictObject({
  $schema: z.string().optional(),
  ...fields,
  entry: manifestEntry,
  modules: modules(z.string().min(1)),
  wasm: wasmOptions(z.string().min(1), manifestEntry),
  permissions: permissions(pathText),
});
const SPEC = z.strictObject({
  ...fields,
  entry: specEntry,
  modules: modules(z.union([z.string().min(1), z.instanceof(URL)])),
  wasm: wasmOptions(z.union([z.string().min(1), z.instanceof(URL)]), specEntry),
  permissions: permissions(z.union([pathText, z.instanceof(URL)])),
});

/** @throws PluginError `INVALID_SPEC` that names each wrong field. */
export function checkSpec(value: unknown, from: 'program' | 'manifest'): PluginSpec {
  const checked = (from === 'program' ? SPEC : MANIFEST).safeParse(value);
  if (checked.success) return checked.data as PluginSpec;
  const problems = checked.error.issues.flatMap(explain);
  throw invalid(value, problems.join('; '), { problems });
}

/** The JSON Schema of plugin.json (draft 2020-12). */
export function jsonSchema(): Record<string, unknown> {
  return { title: 'Troupe plugin manifest', ...z.toJSONSchema(MANIFEST) };
}

function explain(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `unknown field "${at ? `${at}.` : ''}${key}"`);
  }
  if (issue.code === 'invalid_union') {
    const [closest] = issue.errors
      .filter((errors) =>
        errors.some((error) => error.path.length > 0 || error.code === 'unrecognized_keys'),
      )
      .toSorted((a, b) => a.length - b.length);
    if (closest) {
      return closest.flatMap((inner) =>
        explain({ ...inner, path: [...issue.path, ...inner.path] }),
      );
    }
  }
  return [`${at ? `"${at}"` : 'the spec'}: ${issue.message}`];
}

function invalid(value: unknown, what: string, data: Record<string, unknown>): PluginError {
  const given: unknown =
    typeof value === 'object' && value !== null ? (value as { id?: unknown }).id : undefined;
  const pluginId = typeof given === 'string' ? given : undefined;
  return new PluginError(
    'INVALID_SPEC',
    `the spec of ${pluginId ?? 'a plugin'} is not valid: ${what}`,
    {
      pluginId,
      data,
    },
  );
}
