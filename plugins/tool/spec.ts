/** The factory of tool plugins. */
import { typedSpec, type PluginHandle, type PluginSpec, type TypedSpec } from 'troupe';

import { messageOf } from '../coded-error.ts';
import { TIME_MS_MAX } from '../input.ts';
import { invalidOptions, splitOptions, type SpecOptions } from '../spec-options.ts';
import { problemsOf } from '../zod-problems.ts';
import { PLUGIN_OPTIONS } from './option-schema.ts';
import { resolveSources, type ToolEntry } from './resolve-sources.ts';
import { moduleName, type ToolConfig, type ToolSource } from './sources.ts';
import type { ExecuteTool, ToolAnswer, ToolInput, ToolMethods } from './types.ts';

const TIMEOUT_MS = 30_000;
const CONFIRM_TIMEOUT_MS = 60_000;
/** Calls that are inside their tools at once. */
const CONCURRENCY = 32;
/** Beyond what a run and its confirmation may take, for the calls that wait before it. */
const CALL_ROOM_MS = 30_000;

export interface ToolOptions extends SpecOptions {
  /** Tools modules, and built-in tools, alone or as a list. */
  tools: ToolEntry | readonly ToolEntry[];
  /** Longest run of a tool that says none itself (ms). Default 30,000. */
  timeoutMs?: number;
  /** How long a run that asks waits for its answer (ms). Default 60,000. */
  confirmTimeoutMs?: number;
  /** What its tools are for, beside `tools`: by these a model is offered them, and programs find it. */
  capabilities?: readonly string[];
}

/**
 * A plugin that serves tools: own ones from a module, and built-in ones.
 *
 * @throws PluginError `INVALID_SPEC` that names each wrong option.
 *
 * @example
 * const tools = await manager.register(
 *   toolPlugin('tools', { tools: [new URL('./tools.ts', import.meta.url), 'calculator'] }),
 * );
 * await manager.up();
 * await tools.call('calculator', { expression: '2^10' }); // { ok: true, result: { value: 1024 } }
 */
export function toolPlugin(
  id: string,
  options: ToolOptions,
): TypedSpec<ToolInput, ToolAnswer, ToolMethods> {
  const { spec, own } = splitOptions(options);
  const {
    tools,
    timeoutMs = TIMEOUT_MS,
    confirmTimeoutMs = CONFIRM_TIMEOUT_MS,
    capabilities = [],
  } = checked(id, own);
  const sources = named(id, () => resolveSources(tools));
  const callTimeoutMs = spec.limits?.callTimeoutMs ?? longest(sources, timeoutMs, confirmTimeoutMs);
  const questionsMax = questionsOf(spec.concurrency ?? CONCURRENCY);
  const config: ToolConfig = { sources, timeoutMs, confirmTimeoutMs, questionsMax, callTimeoutMs };
  const full: PluginSpec = {
    name: 'Tools',
    description: 'Serves tools that models and programs call by name.',
    ...(spec.isolation !== 'pool' && { concurrency: CONCURRENCY }),
    ...spec,
    id,
    type: 'tool',
    capabilities: [...new Set(['tools', ...capabilities])],
    entry: new URL('./plugin.js', import.meta.url),
    modules: modulesOf(sources),
    limits: { ...spec.limits, callTimeoutMs },
    config: { ...config },
    secrets: secretsOf(sources),
  };
  return typedSpec(full, methodsOf);
}

function methodsOf(plugin: PluginHandle<ToolInput, ToolAnswer>): ToolMethods {
  // the plugin answers each op in its own way
  const execute = plugin.execute.bind(plugin) as ExecuteTool;
  return {
    execute,
    call: (name, args, options) => execute({ op: 'call', name, arguments: args }, options),
    list: (options) => execute({ op: 'list' }, options),
  };
}

function checked(id: string, own: unknown): Omit<ToolOptions, keyof SpecOptions> {
  const outcome = PLUGIN_OPTIONS.safeParse(own);
  if (!outcome.success) throw invalidOptions(id, problemsOf(outcome.error));
  return outcome.data as Omit<ToolOptions, keyof SpecOptions>;
}

function named<T>(id: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw invalidOptions(id, messageOf(error));
  }
}

/** What ends a tool that loops without end: nothing inside its thread can. */
function longest(
  sources: readonly ToolSource[],
  timeoutMs: number,
  confirmTimeoutMs: number,
): number {
  const own = sources.map((source) => ('timeoutMs' in source ? (source.timeoutMs ?? 0) : 0));
  return Math.min(Math.max(timeoutMs, ...own) + confirmTimeoutMs + CALL_ROOM_MS, TIME_MS_MAX);
}

/** Half of the calls that are inside at once: the others are for tools that do not ask. */
function questionsOf(concurrency: number): number {
  return Math.max(1, Math.floor(concurrency / 2));
}

function modulesOf(sources: readonly ToolSource[]): Record<string, string> {
  const modules = sources.flatMap((source, at) =>
    source.kind === 'module' ? [[moduleName(at), source.url] as const] : [],
  );
  return Object.fromEntries(modules);
}

/** What a host is to be sent, or a program is given, and nobody is to be told. */
function secretsOf(sources: readonly ToolSource[]): string[] {
  return sources.flatMap((source, index) => {
    const secret = secretOptionOf(source);
    return secret === undefined ? [] : [`sources.${String(index)}.options.${secret}`];
  });
}

function secretOptionOf(source: ToolSource): string | undefined {
  if (source.kind !== 'builtin') return undefined;
  if (source.builtin === 'http_request' && source.options.hostHeaders) return 'hostHeaders';
  return source.builtin === 'shell' && source.options.env ? 'env' : undefined;
}
