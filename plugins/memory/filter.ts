/** Filters on metadata: checked and made a function once, then asked of each entry. */
import { isPlainObject } from './json.ts';
import { MemoryError } from './memory-error.ts';
import type { MemoryMetadata } from './types.ts';

export type Predicate = (metadata: MemoryMetadata) => boolean;

const DEPTH_MAX = 8;
const CONDITIONS_MAX = 256;

/** @throws MemoryError `MEMORY_INVALID_FILTER`, naming the place. */
export function compileFilter(filter: unknown): Predicate {
  return compile(filter, { path: 'filter', depth: 0, budget: { left: CONDITIONS_MAX } });
}

interface Place {
  path: string;
  depth: number;
  /** Shared by all places of one filter. */
  budget: { left: number };
}

function compile(filter: unknown, place: Place): Predicate {
  if (!isPlainObject(filter)) throw refused(place, 'must be an object of conditions by field');
  if (place.depth > DEPTH_MAX) throw refused(place, `is nested deeper than ${String(DEPTH_MAX)}`);
  const all = Object.entries(filter)
    .filter(([, condition]) => condition !== undefined)
    .map(([name, condition]) => part(name, condition, inside(place, `.${name}`)));
  return (metadata) => all.every((holds) => holds(metadata));
}

function part(name: string, condition: unknown, place: Place): Predicate {
  if (name === '$any') {
    if (!Array.isArray(condition) || condition.length === 0) {
      throw refused(place, 'must be a list of filters');
    }
    const some = condition.map((each, at) => compile(each, inside(place, `[${String(at)}]`)));
    return (metadata) => some.some((holds) => holds(metadata));
  }
  if (name === '$not') {
    const holds = compile(condition, place);
    return (metadata) => !holds(metadata);
  }
  if (name.startsWith('$')) throw refused(place, 'is unknown; there are $any and $not');
  const test = testOf(condition, place);
  return (metadata) => test(Object.hasOwn(metadata, name) ? metadata[name] : undefined);
}

type Test = (value: unknown) => boolean;

function testOf(condition: unknown, place: Place): Test {
  spend(place);
  if (isScalar(condition)) return (value) => value === condition;
  if (!isPlainObject(condition) || Object.keys(condition).length === 0) {
    throw refused(place, `must be a value, or an object of ${Object.keys(TESTS).join(', ')}`);
  }
  const all = Object.entries(condition).map(([name, operand]) => {
    const at = inside(place, `.${name}`);
    spend(at);
    const make = Object.hasOwn(TESTS, name) ? TESTS[name] : undefined;
    if (!make) throw refused(at, `is unknown; there are ${Object.keys(TESTS).join(', ')}`);
    return make(operand, at);
  });
  return (value) => all.every((holds) => holds(value));
}

const TESTS: Record<string, (operand: unknown, place: Place) => Test> = {
  eq: (operand, place) => is(scalar(operand, place)),
  ne: (operand, place) => not(is(scalar(operand, place))),
  gt: (operand, place) => ordered(operand, place, (order) => order > 0),
  gte: (operand, place) => ordered(operand, place, (order) => order >= 0),
  lt: (operand, place) => ordered(operand, place, (order) => order < 0),
  lte: (operand, place) => ordered(operand, place, (order) => order <= 0),
  in: (operand, place) => {
    if (!Array.isArray(operand) || !operand.every(isScalar)) {
      throw refused(place, 'must be a list of strings, numbers, booleans or null');
    }
    const values = new Set<unknown>(operand);
    return (value) => values.has(value);
  },
  contains: (operand, place) => {
    const wanted = scalar(operand, place);
    return (value) => Array.isArray(value) && value.includes(wanted);
  },
  exists: (operand, place) => {
    if (typeof operand !== 'boolean') throw refused(place, 'must be true or false');
    return (value) => (value !== undefined) === operand;
  },
};

function is(wanted: unknown): Test {
  return (value) => value === wanted;
}

function not(test: Test): Test {
  return (value) => !test(value);
}

/** A value of another type has no order with the operand, so it does not match. */
function ordered(operand: unknown, place: Place, holds: (order: number) => boolean): Test {
  if (typeof operand === 'number' && Number.isFinite(operand)) {
    return (value) => typeof value === 'number' && holds(value - operand);
  }
  if (typeof operand === 'string') {
    return (value) =>
      typeof value === 'string' && holds(value < operand ? -1 : value > operand ? 1 : 0);
  }
  throw refused(place, 'must be a number or a string');
}

function scalar(operand: unknown, place: Place): unknown {
  if (!isScalar(operand)) throw refused(place, 'must be a string, number, boolean or null');
  return operand;
}

function isScalar(value: unknown): boolean {
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value))
  );
}

function spend(place: Place): void {
  if (--place.budget.left >= 0) return;
  throw refused(place, `is one condition more than ${String(CONDITIONS_MAX)}`);
}

function inside(place: Place, step: string): Place {
  return { path: place.path + step, depth: place.depth + 1, budget: place.budget };
}

function refused({ path }: Place, problem: string): MemoryError {
  return new MemoryError('MEMORY_INVALID_FILTER', `${path} ${problem}`);
}
