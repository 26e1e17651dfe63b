/** What a tool is: a function that a model, or a program, calls by its name. Types alone. */
import type { StandardSchemaV1 } from '@standard-schema/spec';

import type { PluginContext } from './plugin.ts';

/** JSON Schema as data: draft 2020-12, or what `$schema` says (draft-07, 2019-09). */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** zod 4, any other Standard Schema, or JSON Schema. */
export type ToolSchema = StandardSchemaV1 | JsonSchema;

/** What `execute` is given of a schema: what a Standard Schema makes of the arguments. */
export type ToolArguments<S> =
  S extends StandardSchemaV1<infer _, infer Parsed> ? Parsed : Record<string, unknown>;

/** What `execute` may return for the schema of an output: what that schema takes. */
export type ToolOutput<S> = S extends StandardSchemaV1<infer Raw> ? Raw : unknown;

/** One run of a tool, as the tool sees it. */
export interface ToolCall {
  /** Of the call it came with: `<plugin>-<generation>-<number>`. */
  readonly id: string;
  /** The name the tool was called by. */
  readonly tool: string;
  /** Aborts when the tool's `timeoutMs` is over, or the caller gave up. */
  readonly signal: AbortSignal;
  /** Until when this run is waited for (epoch ms). */
  readonly deadline: number;
  /** Of the plugin that the tool is part of. */
  readonly ctx: PluginContext;
  /** Reports how far the run is, 0 to 1. */
  progress(fraction: number, note?: string): void;
  /** For busy loops: stands still while the plugin is paused, throws once the run is over its time. */
  checkpoint(): void;
}

export interface ToolDefinition<
  S extends ToolSchema = ToolSchema,
  R extends ToolSchema = ToolSchema,
> {
  /** 1 to 64 letters, digits, `_` or `-`; unique within its plugin. */
  readonly name: string;
  /** What it does, for who decides whether to call it. */
  readonly description: string;
  /** Of the arguments, which are an object. */
  readonly input: S;
  /** What it returns is checked against it, and told to callers. */
  readonly output?: R;
  /**
   * Asks before each run: always, or where a function says so. A text it returns is the question.
   * Default false.
   */
  confirm?: boolean | ConfirmRule<S>;
  /** Longest run (ms), from 1. Default: that of the plugin, 30,000. */
  readonly timeoutMs?: number;
  execute(args: ToolArguments<S>, call: ToolCall): ToolOutput<R> | Promise<ToolOutput<R>>;
}

/** Bivariant, so that tools of any arguments fit into one list. */
export type ConfirmRule<S> = {
  rule(args: ToolArguments<S>): boolean | string | Promise<boolean | string>;
}['rule'];
