/**
 * Errors in values. V8's format keeps of an error its message, its stack and which of seven classes it
 * is; what the bus carries besides is kept beside the value, in one piece with it.
 */

/** What is kept: that `error` is one of those in `value`, V8's format sees to. */
export interface WithErrors {
  readonly value: unknown;
  readonly errors: readonly ErrorFacts[];
}

interface ErrorFacts {
  readonly error: Error;
  readonly name: string;
  readonly code: unknown;
  readonly cause: unknown;
}

/**
 * `undefined` where there is no error in it, which is found out at a fraction of what encoding costs.
 *
 * @param encodedBytes what V8 made of the value.
 */
export function withErrors(value: unknown, encodedBytes: number): WithErrors | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!mayHoldError(value, encodedBytes)) return undefined;
  const errors = errorsIn(value, encodedBytes);
  return errors.length === 0 ? undefined : { value, errors: errors.map(factsOf) };
}

/** The value, with its errors as they were. */
export function revived({ value, errors }: WithErrors): unknown {
  for (const { error, name, code, cause } of errors) {
    if (error.name !== name) define(error, 'name', name);
    if (cause !== undefined) define(error, 'cause', cause);
    if (code !== undefined) Object.assign(error, { code });
  }
  return value;
}

export function isWithErrors(kept: unknown): kept is WithErrors {
  return typeof kept === 'object' && kept !== null && 'value' in kept && 'errors' in kept;
}

/** Yes as well where it cannot be said soon: with cycles, and what is met again and again. */
function mayHoldError(value: object, encodedBytes: number): boolean {
  // what is met once has a byte at least
  let left = encodedBytes;
  let may = false;
  walk(value, encodedBytes, (one) => {
    may ||= left-- <= 0 || one instanceof Error;
    return !may;
  });
  return may;
}

function errorsIn(value: object, encodedBytes: number): Error[] {
  const seen = new Set<object>();
  walk(value, encodedBytes, (one) => {
    if (seen.has(one)) return false;
    seen.add(one);
    return true;
  });
  return [...seen].filter((one) => one instanceof Error);
}

/** Calls `enter` with each object there is; where it says no, what lies in that one is passed over. */
function walk(value: object, encodedBytes: number, enter: (one: object) => boolean): void {
  const open = [value];
  const add = (item: unknown): void => {
    if (typeof item === 'object' && item !== null) open.push(item);
  };
  for (let one = open.pop(); one; one = open.pop()) {
    if (ArrayBuffer.isView(one) || !enter(one)) continue;
    // a longer array has holes, which are not to be looked at one by one
    if (Array.isArray(one) && one.length <= encodedBytes) {
      for (const item of one) add(item);
    } else if (one instanceof Map) {
      for (const [key, item] of one) {
        add(key);
        add(item);
      }
    } else if (one instanceof Set) {
      for (const item of one) add(item);
    } else {
      for (const key in one) add(Reflect.get(one, key));
      if (one instanceof Error) add(one.cause);
    }
  }
}

function factsOf(error: Error): ErrorFacts {
  const { name, cause } = error;
  return { error, name, code: 'code' in error ? error.code : undefined, cause };
}

function define(error: Error, key: 'name' | 'cause', value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true });
}
