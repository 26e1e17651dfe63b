/** The tools of one plugin: taken from their sources, checked, and told. */
import type { JsonSchema, ToolDefinition } from 'troupe/plugin';

import { messageOf } from '../coded-error.ts';
import { createBuiltin } from './builtin/index.ts';
import { openJsonSchemas, type JsonSchemas } from './json-schema.ts';
import { prepareSchema, type PreparedSchema } from './schema.ts';
import { moduleName, type ToolSource } from './sources.ts';
import { ToolError } from './tool-error.ts';
import type { McpTool, OpenAiTool, ToolListing } from './types.ts';

/** A tool that can be called. */
export interface PreparedTool {
  definition: ToolDefinition;
  timeoutMs: number;
  confirmTimeoutMs: number;
  input: PreparedSchema;
  output: PreparedSchema | undefined;
}

export type Catalog = ReadonlyMap<string, PreparedTool>;

export interface CatalogOptions {
  sources: readonly ToolSource[];
  /** Where the modules among them are imported from, by `moduleName`. */
  modules: Readonly<Record<string, string>>;
  /** For tools that say none (ms). */
  timeoutMs: number;
  /** What a call of the plugin may take, and so a run with its confirmation (ms); 0 = any time. */
  callTimeoutMs: number;
  confirmTimeoutMs: number;
}

/** @throws ToolError `TOOL_INVALID` that names the tool, or its source, and what is wrong. */
export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  let schemas: Promise<JsonSchemas> | undefined;
  const open = (): Promise<JsonSchemas> => (schemas ??= openJsonSchemas());
  const catalog = new Map<string, PreparedTool>();
  for (const [at, source] of options.sources.entries()) {
    const definitions = await definitionsOf(source, options.modules[moduleName(at)]);
    for (const [index, definition] of definitions.entries()) {
      const where = `${nameOf(source)}${source.kind === 'module' ? `, number ${String(index)}` : ''}`;
      checkShape(definition, where);
      const { name } = definition;
      if (catalog.has(name)) throw invalid(`there are two tools named '${name}' (${where})`);
      catalog.set(name, {
        definition,
        timeoutMs: timeoutOf(definition, options),
        confirmTimeoutMs: options.confirmTimeoutMs,
        input: await prepared(definition, 'input', open),
        output: definition.output && (await prepared(definition, 'output', open)),
      });
    }
  }
  return catalog;
}

export function listTools(catalog: Catalog): ToolListing[] {
  return [...catalog.values()].map(({ definition, input, output, timeoutMs, confirmTimeoutMs }) => {
    const { name, description, confirm = false } = definition;
    const listing: ToolListing = {
      name,
      description,
      inputSchema: input.json,
      confirm: confirm !== false,
      timeoutMs,
    };
    if (listing.confirm) listing.confirmTimeoutMs = confirmTimeoutMs;
    if (output) listing.outputSchema = output.json;
    return listing;
  });
}

export function openAiTools(catalog: Catalog): OpenAiTool[] {
  return listTools(catalog).map(({ name, description, inputSchema: parameters }) => ({
    type: 'function',
    function: { name, description, parameters },
  }));
}

/** The protocol has structured results that are objects only. */
export function mcpTools(catalog: Catalog): McpTool[] {
  return listTools(catalog).map(({ name, description, inputSchema, outputSchema }) => {
    const tool: McpTool = { name, description, inputSchema };
    if (outputSchema?.['type'] === 'object') tool.outputSchema = outputSchema;
    return tool;
  });
}

async function definitionsOf(source: ToolSource, url = ''): Promise<unknown[]> {
  if (source.kind === 'builtin') return [await createBuiltin(source)];
  let module: { default?: unknown };
  try {
    module = (await import(url)) as { default?: unknown };
  } catch (error) {
    throw invalid(
      `the tools module ${nameOf(source)} cannot be imported: ${messageOf(error)}`,
      error,
    );
  }
  if (Array.isArray(module.default) && module.default.length > 0)
    return module.default as unknown[];
  throw invalid(
    `the default export of ${nameOf(source)} must be an array of defineTool(…), with one at least`,
  );
}

function nameOf(source: ToolSource): string {
  if (source.kind === 'builtin') return `built-in ${source.builtin}`;
  const { protocol, pathname } = new URL(source.url);
  return protocol === 'file:' ? (pathname.split('/').at(-1) ?? '') : `${protocol}…`;
}

function checkShape(value: unknown, where: string): asserts value is ToolDefinition {
  const refuse = (what: string): never => {
    throw invalid(`a tool of ${where}: ${what}`);
  };
  if (typeof value !== 'object' || value === null) return refuse('it is no object');
  const {
    name,
    description,
    execute,
    input,
    confirm,
    timeoutMs,
    ...rest
  }: Partial<ToolDefinition> = value;
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) {
    return refuse("its 'name' must be 1 to 64 letters, digits, _ or -");
  }
  const mine = (what: string): never => refuse(`'${name}': ${what}`);
  if (typeof description !== 'string') mine("its 'description' must be a text");
  if (typeof execute !== 'function') mine("its 'execute' must be a function");
  if (input === undefined)
    mine("it has no 'input' schema; of no arguments it is { type: 'object' }");
  if (!['undefined', 'boolean', 'function'].includes(typeof confirm)) {
    mine("its 'confirm' must be true, false or a function");
  }
  if (timeoutMs !== undefined && !(timeoutMs >= 1 && timeoutMs < 2 ** 31)) {
    mine("its 'timeoutMs' must be a number from 1 to 2,147,483,647");
  }
  const unknown = Object.keys(rest).filter((key) => key !== 'output');
  if (unknown.length > 0) mine(`it has no field '${unknown.join("', '")}'`);
}

/** A run must end by its own deadline: at that of the call the thread would be ended. */
function timeoutOf(
  { name, confirm, timeoutMs: own }: ToolDefinition,
  { timeoutMs, callTimeoutMs, confirmTimeoutMs }: CatalogOptions,
): number {
  const longest = (own ?? timeoutMs) + ((confirm ?? false) === false ? 0 : confirmTimeoutMs);
  if (callTimeoutMs === 0 || longest < callTimeoutMs) return own ?? timeoutMs;
  throw invalid(
    `'${name}' may take ${String(longest)} ms, its confirmation included, and a call of this ` +
      `plugin ${String(callTimeoutMs)}: raise limits.callTimeoutMs`,
  );
}

async function prepared(
  definition: ToolDefinition,
  side: 'input' | 'output',
  open: () => Promise<JsonSchemas>,
): Promise<PreparedSchema> {
  const { name, [side]: schema = {} } = definition;
  try {
    const { json, check } = await prepareSchema(schema, side, open);
    return { json: side === 'input' ? ofObject(json) : json, check };
  } catch (error) {
    throw invalid(`the ${side} schema of '${name}' cannot be used: ${messageOf(error)}`, error);
  }
}

/** Models and protocols want the type told. */
function ofObject(json: JsonSchema): JsonSchema {
  if (json['type'] === undefined) return { type: 'object', ...json };
  if (json['type'] === 'object') return json;
  throw new Error(`arguments are an object, and it is of type ${JSON.stringify(json['type'])}`);
}

function invalid(message: string, cause?: unknown): ToolError {
  return new ToolError('TOOL_INVALID', message, { cause });
}
