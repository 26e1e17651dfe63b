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

/** Causes deeper than this are cut: a chain can be circular. */
const CAUSE_DEPTH_MAX = 8;

const DATA_DEPTH_MAX = 8;

/** Never throws, whatever was thrown. */
export function toWireError(thrown: unknown, depth = 0): WireError {
  if (!isErrorLike(thrown)) {
    return { name: 'Error', message: `thrown value: ${describe(thrown)}` };
  }
  const wire: WireError = {
    name: text(() => thrown.name) ?? 'Error',
    message: text(() => thrown.message) ?? '',
    stack: text(() => thrown.stack),
  };
  const code = guarded(() => (thrown as { code?: unknown }).code);
  if (typeof code === 'string' || typeof code === 'number') wire.code = code;
  const cause = guarded(() => thrown.cause);
  if (cause !== undefined && depth < CAUSE_DEPTH_MAX) {
    wire.cause = isErrorLike(cause)
      ? { wireError: toWireError(cause, depth + 1) }
      : { value: isPrimitive(cause) ? cause : describe(cause) };
  }
  const plugin = guarded(() => (thrown instanceof PluginError ? pluginPart(thrown) : undefined));
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
export function describe(value: unknown): string {
  return (
    guarded(() => {
      if (typeof value === 'string') return JSON.stringify(value.slice(0, 200));
      if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
      if (typeof value === 'symbol' || typeof value === 'bigint') return String(value);
      const json = typeof value === 'object' ? JSON.stringify(value) : undefined;
      return (json ?? String(value)).slice(0, 200);
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

function pluginPart({ pluginId, callId, data }: PluginError): WireError['plugin'] {
  return { id: pluginId, callId, data: guarded(() => plainData(data)) ?? {} };
}

/** A symbol cannot be sent, and is described like an object. */
function isPrimitive(value: unknown): boolean {
  return value === null || !['object', 'function', 'symbol'].includes(typeof value);
}

/** Facts travel as plain MessagePack; what is not plain becomes a text. */
function plainData(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.keys(data).map((key): [string, unknown] => {
    const value = guarded(() => data[key]);
    const isPlain = guarded(() => plainness(value, DATA_DEPTH_MAX)) === 'plain';
    return [key, isPlain ? value : describe(value)];
  });
  return Object.fromEntries(entries);
}

function setStack(error: Error, stack: string | undefined): void {
  if (stack !== undefined) {
    Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  }
}

function text(read: () => unknown): string | undefined {
  const value = guarded(read);
  return typeof value === 'string' ? value : undefined;
}

function guarded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
