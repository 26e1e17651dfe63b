/** Decodes what a tool plugin is asked. */
import { ToolError } from './tool-error.ts';
import type { ToolInput } from './types.ts';

const FIELDS: Record<ToolInput['op'], readonly string[]> = {
  call: ['op', 'name', 'arguments'],
  list: ['op', 'format'],
};

/** @throws ToolError `TOOL_INPUT_INVALID` that names what is wrong. */
export function decodeInput(input: unknown): ToolInput {
  if (!isRecord(input)) throw invalid("the input must be an object with an 'op'");
  const { op } = input;
  if (op !== 'call' && op !== 'list') {
    throw invalid(`there is no op ${shown(op)}: a tool plugin has 'call' and 'list'`);
  }
  const unknown = Object.keys(input).filter((key) => !FIELDS[op].includes(key));
  if (unknown.length > 0) {
    throw invalid(
      `op '${op}' has no ${unknown.map(shown).join(', ')}: it takes ${FIELDS[op].join(', ')}`,
    );
  }
  if (op === 'list') return { op, ...formatOf(input['format']) };
  const { name } = input;
  if (typeof name !== 'string') throw invalid("op 'call' needs a 'name', which is a text");
  return { op, name, arguments: input['arguments'] };
}

/**
 * The arguments of a tool: an object, or its JSON.
 *
 * @throws ToolError `TOOL_ARGUMENTS_INVALID`.
 */
export function decodeArguments(given: unknown): Record<string, unknown> {
  const value = (typeof given === 'string' ? parse(given) : given) ?? {};
  if (isRecord(value) && !Array.isArray(value)) return value;
  const kind = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`;
  throw new ToolError('TOOL_ARGUMENTS_INVALID', `the arguments must be an object, not ${kind}`);
}

function parse(text: string): unknown {
  // what some models send for a tool without arguments
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ToolError('TOOL_ARGUMENTS_INVALID', `the arguments are not valid JSON: ${why}`);
  }
}

function formatOf(format: unknown): { format?: 'openai' | 'mcp' } {
  if (format === undefined) return {};
  if (format === 'openai' || format === 'mcp') return { format };
  throw invalid(`there is no format ${shown(format)}: 'openai', 'mcp', or none`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 100)}'` : `of type ${typeof value}`;
}

function invalid(message: string): ToolError {
  return new ToolError('TOOL_INPUT_INVALID', message);
}
