/** What the borders of the bundled plugins have in common: how they read an input, and what they say of a wrong one. */
import { nearest } from './nearest.ts';

/** What a timer can wait. */
export const TIME_MS_MAX = 2_147_483_647;

const SHOWN_CHARS_MAX = 80;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Which of the ops is asked for, and what else is said; `refused` makes an error of what is wrong. */
export function opOf<Op extends string>(
  input: unknown,
  ops: readonly Op[],
  refused: (problem: string) => Error,
): { op: Op; fields: Record<string, unknown> } {
  if (!isRecord(input)) {
    throw refused(`the input is ${kindOf(input)}, not an object with an op: ${ops.join(', ')}`);
  }
  const { op: asked, ...fields } = input;
  const op = ops.find((each) => each === asked);
  if (op === undefined) throw refused(`there is no op ${amongKnown(asked, ops)}`);
  return { op, fields };
}

/** The first field that is none of the known, as messages name it; `undefined` where there is none. */
export function unknownIn(
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
): string | undefined {
  for (const name of Object.keys(given)) {
    if (given[name] !== undefined && !known.includes(name)) return amongKnown(name, known);
  }
  return undefined;
}

/** A name that is none, what was probably meant, and those there are: behind `there is no op` or `it has no field`. */
export function amongKnown(name: unknown, known: readonly string[]): string {
  const meant = typeof name === 'string' ? nearest(name, known) : undefined;
  const hint = meant === undefined ? '' : ` (did you mean '${meant}'?)`;
  return `${shown(name)}${hint}: there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ') || 'none'}`;
}

/** A text as it is, of any other value what kind of thing it is. */
export function shown(value: unknown): string {
  if (typeof value !== 'string') return kindOf(value);
  return `'${value.length > SHOWN_CHARS_MAX ? `${value.slice(0, SHOWN_CHARS_MAX)}…` : value}'`;
}

export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`;
}
