/** What a tool plugin is asked, and what it answers. */
import type { ExecuteOptions } from 'troupe';
import type { JsonSchema } from 'troupe/plugin';

export interface ToolCallInput {
  op: 'call';
  name: string;
  /** An object, or its JSON as models send it. Default `{}`. */
  arguments?: unknown;
}

export interface ToolListInput {
  op: 'list';
  /** Default: as {@link ToolListing}. */
  format?: 'openai' | 'mcp';
}

export type ToolInput = ToolCallInput | ToolListInput;

/** How a call of a tool ended. A failure is an answer, so that a model can read it. */
export type ToolResult<T = unknown> =
  | { ok: true; result: T }
  | { ok: false; error: { code: string; message: string } };

export interface ToolListing {
  name: string;
  description: string;
  inputSchema: JsonSchema;
  outputSchema?: JsonSchema;
  /** Whether a run of it may ask first. */
  confirm: boolean;
  /** Where it may ask: how long it waits for its answer (ms). */
  confirmTimeoutMs?: number;
  timeoutMs: number;
}

/** A tool as OpenAI's chat completions take it. */
export interface OpenAiTool {
  type: 'function';
  function: { name: string; description: string; parameters: JsonSchema };
}

/** A tool as a server of the Model Context Protocol lists it. */
export interface McpTool {
  name: string;
  description: string;
  inputSchema: JsonSchema;
  outputSchema?: JsonSchema;
}

export type ToolAnswer = ToolResult | ToolListing[] | OpenAiTool[] | McpTool[];

/** `execute` of a handle, by op. */
export interface ExecuteTool {
  <T = unknown>(input: ToolCallInput, options?: ExecuteOptions): Promise<ToolResult<T>>;
  (input: { op: 'list'; format: 'openai' }, options?: ExecuteOptions): Promise<OpenAiTool[]>;
  (input: { op: 'list'; format: 'mcp' }, options?: ExecuteOptions): Promise<McpTool[]>;
  (input: { op: 'list' }, options?: ExecuteOptions): Promise<ToolListing[]>;
  (input: ToolInput, options?: ExecuteOptions): Promise<ToolAnswer>;
}

export interface ToolMethods {
  execute: ExecuteTool;
  /** Runs a tool. Rejects only where the plugin itself fails: crash, deadline of the call, stop. */
  call<T = unknown>(name: string, args?: unknown, options?: ExecuteOptions): Promise<ToolResult<T>>;
  list(options?: ExecuteOptions): Promise<ToolListing[]>;
}

/** The event `tool.confirm`: a run that waits for a yes. */
export interface ToolConfirmRequest {
  requestId: string;
  /** Id of the tool plugin. */
  plugin: string;
  tool: string;
  /**
   * What the tool is to be given: as its schema made them, with defaults. As the caller gave them
   * where the bus does not carry that.
   */
  arguments: unknown;
  /** What to ask. */
  message: string;
  /** When it is refused if nobody has answered (epoch ms). */
  deadline: number;
}

/** The event `tool.confirm.answer`. */
export interface ToolConfirmAnswer {
  requestId: string;
  allow: boolean;
  /** Told to the caller of a tool that was refused. */
  reason?: string;
}
