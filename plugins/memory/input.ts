/** The border: what came in becomes a request, or is refused by the name of what is wrong. */
import { opOf, unknownIn } from '../input.ts';
import { foreignToJson, isPlainObject } from './json.ts';
import { MemoryError, type MemoryErrorCode } from './memory-error.ts';
import { weightsProblem } from './score.ts';
import { ALL_NAMESPACES, LIMIT_MAX, NAME_CHARS_MAX, type MemorySettings } from './settings.ts';
import type { MemoryInput, MemoryOp } from './types.ts';

type Bounds = Pick<MemorySettings, 'textCharsMax' | 'metadataCharsMax'>;
/** What is wrong with it; `undefined` where nothing is. A code where it is not `MEMORY_INVALID_INPUT`. */
type Problem = string | { code: MemoryErrorCode; problem: string } | undefined;
type Check = (value: unknown, bounds: Bounds) => Problem;

interface Shape {
  needs: Record<string, Check>;
  takes: Record<string, Check>;
}

/** @throws MemoryError naming the op and the field. */
export function decodeInput(input: unknown, bounds: Bounds): MemoryInput {
  const { op, fields } = opOf(input, OPS, refused);
  const { needs, takes } = SHAPES[op];
  const unknown = unknownIn(fields, [...Object.keys(needs), ...Object.keys(takes)]);
  if (unknown !== undefined) throw refused(`${op} has no field ${unknown}`);
  for (const [name, check] of Object.entries(needs)) {
    report(op, name, fields[name] === undefined ? 'is missing' : check(fields[name], bounds));
  }
  for (const [name, check] of Object.entries(takes)) {
    report(op, name, fields[name] === undefined ? undefined : check(fields[name], bounds));
  }
  if (op === 'update' && !CHANGES.some((name) => name in fields)) {
    throw refused(`${op} changes nothing: there are ${CHANGES.join(', ')}`);
  }
  // checked field by field above
  return input as MemoryInput;
}

function report(op: string, name: string, problem: Problem): void {
  if (problem === undefined) return;
  if (typeof problem === 'string') throw refused(`${op}: ${name} ${problem}`);
  throw new MemoryError(problem.code, `${op}: ${name} ${problem.problem}`);
}

function refused(problem: string): MemoryError {
  return new MemoryError('MEMORY_INVALID_INPUT', problem);
}

const CHANGES = ['text', 'importance', 'metadata', 'ttlMs'];

const text: Check = (value, { textCharsMax }) => {
  if (typeof value !== 'string' || value.trim() === '') return 'must be a text that is not empty';
  if (value.length <= textCharsMax) return undefined;
  const problem = `has ${String(value.length)} characters, more than textCharsMax (${String(textCharsMax)}); cut it into several`;
  return { code: 'MEMORY_ENTRY_TOO_LARGE', problem };
};

const query: Check = (value, bounds) => {
  const problem = text(value, bounds);
  if (problem === undefined) return undefined;
  return {
    code: 'MEMORY_INVALID_QUERY',
    problem: typeof problem === 'string' ? problem : problem.problem,
  };
};

const name: Check = (value) =>
  typeof value === 'string' && value !== '' && value.length <= NAME_CHARS_MAX
    ? undefined
    : `must be a text of 1 to ${String(NAME_CHARS_MAX)} characters`;

const namespace: Check = (value, bounds) =>
  value === ALL_NAMESPACES
    ? `'${ALL_NAMESPACES}' stands for all namespaces in count and clear only`
    : name(value, bounds);

const unit: Check = (value) =>
  typeof value === 'number' && value >= 0 && value <= 1 ? undefined : 'must be a number, 0 to 1';

const TTL_MS_MAX = Number.MAX_SAFE_INTEGER / 2;

const ttl: Check = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value < TTL_MS_MAX
    ? undefined
    : 'must be a whole number of milliseconds, from 1';

const limit: Check = (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LIMIT_MAX
    ? undefined
    : `must be a whole number, 1 to ${String(LIMIT_MAX)}`;

const tokens: Check = (value) =>
  typeof value === 'number' && value >= 0 && Number.isFinite(value)
    ? undefined
    : 'must be a number from 0';

const metadata: Check = (value, { metadataCharsMax }) => {
  if (!isPlainObject(value)) return 'must be an object';
  const foreign = foreignToJson(value, 'metadata');
  if (foreign !== undefined) return `must be JSON; ${foreign} is not, or is nested too deep`;
  const marked = Object.keys(value).find((key) => key.startsWith('$'));
  if (marked !== undefined) return `must have no field that begins with $, as ${marked} does`;
  const chars = JSON.stringify(value).length;
  if (chars <= metadataCharsMax) return undefined;
  const problem = `has ${String(chars)} characters as JSON, more than metadataCharsMax (${String(metadataCharsMax)})`;
  return { code: 'MEMORY_ENTRY_TOO_LARGE', problem };
};

/** Looked at where it is compiled. */
const filter: Check = () => undefined;

const mode: Check = (value) =>
  value === 'text' || value === 'vector' || value === 'hybrid'
    ? undefined
    : "must be 'text', 'vector' or 'hybrid'";

const weights: Check = (value) => weightsProblem(value, ['relevance', 'importance', 'recency']);

const selection = { namespace, conversation: name, filter };
const wideSelection = { namespace: name, conversation: name, filter };

const SHAPES: Record<MemoryOp, Shape> = {
  add: {
    needs: { text },
    takes: { importance: unit, metadata, namespace, ttlMs: ttl, role: name, conversation: name },
  },
  search: {
    needs: { text: query },
    takes: { mode, limit, threshold: unit, weights, ...selection },
  },
  get: { needs: { id: name }, takes: { namespace } },
  update: {
    needs: { id: name },
    takes: {
      namespace,
      text,
      importance: unit,
      metadata,
      ttlMs: (value, bounds) => (value === null ? undefined : ttl(value, bounds)),
    },
  },
  delete: { needs: { id: name }, takes: { namespace } },
  recent: { needs: {}, takes: { limit, ...selection } },
  count: { needs: {}, takes: wideSelection },
  clear: { needs: {}, takes: wideSelection },
  window: { needs: { conversation: name, tokens }, takes: { namespace } },
};

const OPS = Object.keys(SHAPES) as MemoryOp[];
