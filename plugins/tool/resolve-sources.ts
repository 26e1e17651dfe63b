/** From the `tools` a user gives to the sources a thread is told. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { amongKnown } from '../input.ts';
import { problemsOf } from '../zod-problems.ts';
import { BUILTIN_ENTRY, BUILTIN_OPTIONS } from './option-schema.ts';
import type { BuiltinName, BuiltinOptions } from './options.ts';
import type { ToolSource } from './sources.ts';

const NAMES = Object.keys(BUILTIN_OPTIONS);

/** A built-in tool by name, with its options; `as` is what it is called instead. */
export type BuiltinTool = {
  [Name in BuiltinName]: {
    name: Name;
    as?: string;
    description?: string;
    /** Whether each run asks first. Default false. */
    confirm?: boolean;
    /** Longest run (ms). Default: that of the plugin. */
    timeoutMs?: number;
  } & (Name extends 'filesystem' | 'shell'
    ? { options: BuiltinOptions[Name] }
    : { options?: BuiltinOptions[Name] });
}[BuiltinName];

/** A tools module (a `file:` URL or a path), or a built-in tool. */
export type ToolEntry = URL | string | BuiltinTool;

/** @throws Error that names the entry and what is wrong with it. */
export function resolveSources(tools: unknown): ToolSource[] {
  const entries = Array.isArray(tools) ? (tools as unknown[]) : [tools];
  if (entries.length === 0) throw new Error('"tools" is empty');
  return entries.map((entry, index) =>
    sourceOf(entry, Array.isArray(tools) ? `tools.${String(index)}` : 'tools'),
  );
}

function sourceOf(entry: unknown, at: string): ToolSource {
  if (entry instanceof URL) return { kind: 'module', url: entry.href };
  if (typeof entry === 'string') {
    if (NAMES.includes(entry)) return builtin({ name: entry }, at);
    if (/^(file|data):/.test(entry)) return { kind: 'module', url: entry };
    const isPath = /[/\\]|\.[cm]?[jt]s$/.test(entry);
    if (isPath) return { kind: 'module', url: pathToFileURL(path.resolve(entry)).href };
    throw new Error(`"${at}": ${unknownName(entry)}; a path has a / in it`);
  }
  if (typeof entry === 'object' && entry !== null) return builtin(entry, at);
  throw new Error(`"${at}": must be a tools module (a URL or a path) or a built-in tool`);
}

function builtin(entry: unknown, at: string): ToolSource {
  const checked = BUILTIN_ENTRY.safeParse(entry);
  if (!checked.success) throw new Error(problemsOf(checked.error, at));
  const { name, as, options = {}, ...rest } = checked.data;
  if (!isBuiltin(name)) throw new Error(`"${at}.name": ${unknownName(name)}`);
  const own = BUILTIN_OPTIONS[name].safeParse(options);
  if (!own.success) throw new Error(problemsOf(own.error, `${at}.options`));
  const source = { kind: 'builtin', builtin: name, options: own.data, ...rest };
  return (as === undefined ? source : { ...source, name: as }) as ToolSource;
}

function isBuiltin(name: string): name is BuiltinName {
  return NAMES.includes(name);
}

function unknownName(name: string): string {
  return `there is no built-in tool ${amongKnown(name, NAMES)}`;
}
