/** Inputs out of a text. */
import { messageOf, usageError } from '../cli-error.ts';

/** @throws CliError with the number of the line that is not JSON. */
export function parseLines(text: string, file: string): unknown[] {
  return text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line) as unknown];
    } catch (error) {
      throw usageError(
        `${file}:${String(i + 1)}: not JSON (one input a line): ${messageOf(error)}`,
      );
    }
  });
}

export function parseArray(text: string, file: string): unknown[] {
  const value = parseJson(text, file);
  if (Array.isArray(value)) return value;
  const remedy = 'a JSON array of inputs is needed; one input for all calls is --input JSON';
  throw usageError(`${file} holds ${nameOf(value)}: ${remedy}`);
}

export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw usageError(`${where} is not JSON: ${messageOf(error)}`);
  }
}

export function nameOf(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
