/**
 * Errors as data. What a plugin throws can be anything: a string, a proxy, an error whose
 * `message` getter throws. It is read once, under guards, at the side where it was thrown.
 */
import { isErrorCode, PluginError } from './errors.ts';
import { plainness } from './plain.ts';

export interface WireError {
  name: string;
  message: string;
  code?: string | number | undefined;
  stack?: string | undefined;
  cause?: unknown;
  /** Of a PluginError only. */
  plugin?: { id?: string | undefined; callId?: string | undefined; data: Record<string, unknown> };
}

/** Takes secrets out of what is told; see redact.ts. */
export interface Redactor {
  text(text: string): string;
  /** A copy without them, or the value itself where there is nothing to hide. */
  value<T>(value: T): T;
}

export const NOTHING_SECRET: Redactor = { text: (text) => text, value: (value) => value };

/** Causes deeper than this are cut: a chain can be circular. */
export const CAUSE_DEPTH_MAX = 8;

const DATA_DEPTH_MAX = 8;

/** Never throws, whatever was thrown. */
export function toWireError(
  thrown: unknown,
  redactor: Redactor = NOTHING_SECRET,
  depth = 0,
): WireError {
  if (!isErrorLike(thrown)) {
    return { name: 'Error', message: `thrown value: ${describe(thrown, redactor)}` };
  }
  const text = (read: () => unknown): string | undefined => {
    const value = guarded(read);
    return typeof value === 'string' ? redactor.text(value) : undefined;
  };
  const wire: WireError = {
    name: text(() => thrown.name) ?? 'Error',
    message: text(() => thrown.message) ?? '',
    stack: text(() => thrown.stack),
  };
  const code = guarded(() => (thrown as { code?: unknown }).code);
  if (typeof code === 'string' || typeof code === 'number') wire.code = redactor.value(code);
  const cause = guarded(() => thrown.cause);
  if (cause !== undefined && depth < CAUSE_DEPTH_MAX) {
    wire.cause = isErrorLike(cause)
      ? { wireError: toWireError(cause, redactor, depth + 1) }
      : { value: isPrimitive(cause) ? redactor.value(cause) : describe(cause, redactor) };
  }
  const plugin = guarded(() =>
    thrown instanceof PluginError ? pluginPart(thrown, redactor) : undefined,
  );
  if (plugin) wire.plugin = plugin;
  return wire;
}

/** The error at the receiving side: same name, message, code and stack. */
export function fromWireError(wire: WireError): Error {
  const cause = causeOf(wire.cause);
  if (wire.plugin && isErrorCode(wire.code)) {
    const { id, callId, data } = wire.plugin;
    const revived = new PluginError(wire.code, wire.message, { pluginId: id, callId, data, cause });
    setStack(revived, wire.stack);
    return revived;
  }
  const Base = BASES[wire.name] ?? Error;
  const error = new Base(wire.message, cause === undefined ? undefined : { cause });
  if (error.name !== wire.name) {
    Object.defineProperty(error, 'name', { value: wire.name, configurable: true, writable: true });
  }
  if (wire.code !== undefined) Object.assign(error, { code: wire.code });
  setStack(error, wire.stack);
  return error;
}

/** Decoded from a frame: `unknown` until it has the shape. */
export function isWireError(value: unknown): value is WireError {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as WireError).name === 'string' &&
    typeof (value as WireError).message === 'string'
  );
}

/** A short text for any value; never throws. */
export function describe(value: unknown, redactor: Redactor = NOTHING_SECRET): string {
  // a secret is looked for before the text is cut: half of one would not be found
  const shown = (text: string): string => redactor.text(text).slice(0, 200);
  return (
    guarded(() => {
      if (typeof value === 'string') return JSON.stringify(shown(value));
      if (typeof value === 'function') return shown(`function ${value.name || '(anonymous)'}`);
      if (typeof value === 'symbol' || typeof value === 'bigint') return shown(String(value));
      const json = typeof value === 'object' ? JSON.stringify(value) : undefined;
      return shown(json ?? String(value));
    }) ?? 'a value that cannot be read'
  );
}

const BASES: Record<string, ErrorConstructor> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};
Object.setPrototypeOf(BASES, null);

function causeOf(cause: unknown): unknown {
  if (typeof cause !== 'object' || cause === null) return undefined;
  const { wireError, value } = cause as { wireError?: unknown; value?: unknown };
  return isWireError(wireError) ? fromWireError(wireError) : value;
}

function isErrorLike(value: unknown): value is Error {
  return (
    guarded(
      () =>
        value instanceof Error ||
        (typeof value === 'object' &&
          value !== null &&
          typeof (value as Error).message === 'string' &&
          typeof (value as Error).name === 'string'),
    ) ?? false
  );
}

function pluginPart(
  { pluginId, callId, data }: PluginError,
  redactor: Redactor,
): WireError['plugin'] {
  return {
    // of a call that went nowhere, it is what the plugin called
    id: redactor.value(pluginId),
    callId: redactor.value(callId),
    data: guarded(() => plainData(data, redactor)) ?? {},
  };
}

/** A symbol cannot be sent, and is described like an object. */
function isPrimitive(value: unknown): boolean {
  return value === null || !['object', 'function', 'symbol'].includes(typeof value);
}

/** Facts travel as plain MessagePack; what is not plain becomes a text. */
function plainData(
  data: Readonly<Record<string, unknown>>,
  redactor: Redactor,
): Record<string, unknown> {
  const entries = Object.keys(data).map((key): [string, unknown] => {
    const value = guarded(() => data[key]);
    const isPlain = guarded(() => plainness(value, DATA_DEPTH_MAX)) === 'plain';
    return [redactor.text(key), isPlain ? redactor.value(value) : describe(value, redactor)];
  });
  return Object.fromEntries(entries);
}

function setStack(error: Error, stack: string | undefined): void {
  if (stack !== undefined) {
    Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  }
}

function guarded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
