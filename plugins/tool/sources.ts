/** Where the tools of a plugin come from, as its thread is told. */
import type { BuiltinName, BuiltinOptions } from './options.ts';

export type ToolSource =
  | { kind: 'module'; url: string }
  | { [Name in BuiltinName]: BuiltinSource<Name> }[BuiltinName];

export interface BuiltinSource<Name extends BuiltinName = BuiltinName> {
  kind: 'builtin';
  builtin: Name;
  options: BuiltinOptions[Name];
  /** What it is called. */
  name?: string;
  description?: string;
  confirm?: boolean;
  timeoutMs?: number;
}

/** What the module among the sources is called in `modules` of the spec. */
export function moduleName(at: number): string {
  return `tools.${String(at)}`;
}

/** The `config` of the plugin. */
export interface ToolConfig {
  sources: ToolSource[];
  timeoutMs: number;
  confirmTimeoutMs: number;
  /** Runs that may wait for a confirmation at once. */
  questionsMax: number;
  callTimeoutMs: number;
}
