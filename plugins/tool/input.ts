/** Decodes what a tool plugin is asked. */
import { messageOf } from '../coded-error.ts';
import { amongKnown, isRecord, kindOf, opOf, unknownIn } from '../input.ts';
import { ToolError } from './tool-error.ts';
import type { ToolInput } from './types.ts';

const FIELDS: Record<ToolInput['op'], readonly string[]> = {
  call: ['name', 'arguments'],
  list: ['format'],
};
const OPS = ['call', 'list'] as const;
const FORMATS = ['openai', 'mcp'] as const;

/** @throws ToolError `TOOL_INVALID_INPUT` that names what is wrong. */
export function decodeInput(input: unknown): ToolInput {
  const { op, fields } = opOf(input, OPS, refused);
  const unknown = unknownIn(fields, FIELDS[op]);
  if (unknown !== undefined) throw refused(`${op} has no field ${unknown}`);
  if (op === 'list') return { op, ...formatOf(fields['format']) };
  const { name } = fields;
  if (typeof name !== 'string') throw refused('call needs name, which is a text');
  return { op, name, arguments: fields['arguments'] };
}

/**
 * The arguments of a tool: an object, or its JSON.
 *
 * @throws ToolError `TOOL_ARGUMENTS_INVALID`.
 */
export function decodeArguments(given: unknown): Record<string, unknown> {
  const value = (typeof given === 'string' ? parse(given) : given) ?? {};
  if (isRecord(value)) return value;
  throw new ToolError(
    'TOOL_ARGUMENTS_INVALID',
    `the arguments are ${kindOf(value)}, not an object`,
  );
}

function parse(text: string): unknown {
  // what some models send for a tool without arguments
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = messageOf(error);
    throw new ToolError('TOOL_ARGUMENTS_INVALID', `the arguments are not valid JSON: ${why}`);
  }
}

function formatOf(format: unknown): { format?: 'openai' | 'mcp' } {
  if (format === undefined) return {};
  const known = FORMATS.find((each) => each === format);
  if (known !== undefined) return { format: known };
  throw refused(`there is no format ${amongKnown(format, FORMATS)}`);
}

function refused(message: string): ToolError {
  return new ToolError('TOOL_INVALID_INPUT', message);
}
