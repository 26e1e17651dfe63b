/** Errors as data and back, inside the VM; see entrance.ts for how this runs. */
import type { GuestOptions } from './entrance.ts';

export interface GuestErrors {
  lower(thrown: unknown): Record<string, unknown>;
  raise(wire: unknown): Error;
}

/** Frames of the runtime's own text are left out of stacks. */
export function guestErrors({ ownFile, causesMax }: GuestOptions): GuestErrors {
  type Fields = Record<string, unknown>;

  function isObject(value: unknown): value is Fields {
    return typeof value === 'object' && value !== null;
  }

  function guarded(read: () => unknown): unknown {
    try {
      return read();
    } catch {
      return undefined;
    }
  }

  function textOf(read: () => unknown): string | undefined {
    const value = guarded(read);
    return typeof value === 'string' ? value : undefined;
  }

  /** As protocol/wire-error.ts has it. The engine's stack names no error: it is put before it. */
  function lower(thrown: unknown, depth: number): Fields {
    if (!(guarded(() => thrown instanceof Error) === true)) {
      const shown = guarded(() => (isObject(thrown) ? JSON.stringify(thrown) : String(thrown)));
      const text = typeof shown === 'string' ? shown : 'a value that cannot be read';
      return { name: 'Error', message: `thrown value: ${text.slice(0, 200)}` };
    }
    const error = thrown as Error & { code?: unknown };
    const name = textOf(() => error.name) ?? 'Error';
    const message = textOf(() => error.message) ?? '';
    const frames = (textOf(() => error.stack) ?? '')
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.includes(ownFile))
      .join('\n');
    const isWhole = frames !== '' && !/^\s+at /.test(frames);
    const wire: Fields = {
      name,
      message,
      stack: isWhole ? frames : `${name}: ${message}${frames === '' ? '' : `\n${frames}`}`,
    };
    const code = guarded(() => error.code);
    if (typeof code === 'string' || typeof code === 'number') wire['code'] = code;
    const cause = guarded(() => error.cause);
    if (cause !== undefined && depth < causesMax) {
      if (guarded(() => cause instanceof Error) === true) {
        wire['cause'] = { wireError: lower(cause, depth + 1) };
      } else {
        wire['cause'] = { value: isObject(cause) ? textOf(() => JSON.stringify(cause)) : cause };
      }
    }
    return wire;
  }

  function raise(wire: unknown): Error {
    const { name, message, code, stack, cause, plugin } = wire as Fields;
    const bases: Record<string, ErrorConstructor> = {
      EvalError,
      RangeError,
      ReferenceError,
      SyntaxError,
      TypeError,
      URIError,
    };
    const Base = Object.hasOwn(bases, String(name)) ? bases[String(name)] : Error;
    const error = new (Base ?? Error)(String(message));
    const set = (key: string, value: unknown): void => {
      Object.defineProperty(error, key, { value, configurable: true, writable: true });
    };
    if (error.name !== name) set('name', String(name));
    if (code !== undefined) set('code', code);
    if (isObject(plugin)) {
      set('pluginId', plugin['id']);
      set('callId', plugin['callId']);
      set('data', plugin['data']);
    }
    if (isObject(cause)) {
      set('cause', isObject(cause['wireError']) ? raise(cause['wireError']) : cause['value']);
    }
    if (typeof stack === 'string') set('stack', stack);
    return error;
  }

  return { lower: (thrown) => lower(thrown, 0), raise };
}
