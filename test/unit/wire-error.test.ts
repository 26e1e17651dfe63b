import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PluginError } from '../../src/protocol/errors.ts';
import {
  describe as inWords,
  fromWireError,
  isWireError,
  toWireError,
  type WireError,
} from '../../src/protocol/wire-error.ts';
import { roundTrip } from '../support/codec.ts';

class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code = 'E_LOCKED';
}

const no = (): never => {
  throw new Error('no');
};
const TRAPS = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((trap) => [trap, no]),
) as ProxyHandler<() => void>;

/** As over the bus: read, sent, revived. */
function crossing(thrown: unknown): Error {
  const wire = roundTrip<unknown>(toWireError(thrown));
  if (!isWireError(wire)) throw new Error('no wire error arrived');
  return fromWireError(wire);
}

describe('whatever is thrown arrives as an error that can be read:', () => {
  const circular = new Error('outer');
  circular.cause = new Error('inner', { cause: circular });

  const thrown: [string, unknown, string][] = [
    ['undefined', undefined, 'thrown value: undefined'],
    ['null', null, 'thrown value: null'],
    ['a string', 'disk "full"', 'thrown value: "disk \\"full\\""'],
    ['a long string', 'x'.repeat(1e6), `thrown value: "${'x'.repeat(200)}"`],
    ['a number', 42, 'thrown value: 42'],
    ['a bigint', 42n, 'thrown value: 42'],
    ['a symbol', Symbol('s'), 'thrown value: Symbol(s)'],
    ['a function', no, 'thrown value: function no'],
    ['a class', DatabaseError, 'thrown value: function DatabaseError'],
    ['an object', { status: 404 }, 'thrown value: {"status":404}'],
    ['an object without a prototype', Object.create(null), 'thrown value: {}'],
    ['a circular object', { ...circular, self: circular, m: new Map() }, 'thrown value: '],
    ['a promise', Promise.resolve(), 'thrown value: {}'],
    ['an object whose toJSON throws', { toJSON: no }, 'cannot be read'],
    ['an object with a bigint', { n: 1n }, 'thrown value: '],
    ['a proxy that throws on everything', new Proxy({}, TRAPS), 'cannot be read'],
    ['such a proxy of an error', new Proxy(new Error('e'), TRAPS), 'cannot be read'],
    ['such a proxy of a function', new Proxy(no, TRAPS), 'cannot be read'],
    ['an error', new RangeError('too much'), 'too much'],
    ['an error without a message', new Error(), ''],
    ['a frozen error', Object.freeze(new Error('cold')), 'cold'],
    ['an error with a circular cause', circular, 'outer'],
    ['an error with getters that throw', throwing('name', 'message', 'stack', 'cause', 'code'), ''],
    ['an error whose fields are no strings', fields({ name: 1, message: {}, stack: [] }), ''],
    ['an error without a stack', fields({ stack: undefined }), 'e'],
    ['something like an error', { name: 'Odd', message: 'like an error' }, 'like an error'],
    ['an error with a lone surrogate', new Error('\uD83D'), ''],
    ['what only looks like a PluginError', Object.create(PluginError.prototype), ''],
    [
      'a PluginError with data that throws',
      pluginError({
        get secret() {
          return no();
        },
      }),
      'p',
    ],
    ['a PluginError with data that is a proxy', pluginError(new Proxy({}, TRAPS as object)), 'p'],
    [
      'a PluginError with data that cannot be sent',
      pluginError({ f: no, p: new Proxy({}, TRAPS as object) }),
      'p',
    ],
    ['a proxy that throws when it is asked a second time', forgetful(), ''],
  ];

  it.each(thrown)('%s', (_, value, message) => {
    const arrived = crossing(value);
    expect(arrived).toBeInstanceOf(Error);
    expect(arrived.message).toContain(message);
    expect(arrived.name).toEqual(expect.any(String));
    expect(String(arrived.stack)).toEqual(expect.any(String));
  });

  it('anything at all', () => {
    fc.assert(
      fc.property(
        fc.anything({ withMap: true, withBigInt: true, withNullPrototype: true }),
        (value) => {
          expect(crossing(value)).toBeInstanceOf(Error);
          expect(
            crossing(Object.assign(new Error('e'), { cause: value, code: value })),
          ).toMatchObject({
            message: 'e',
          });
        },
      ),
    );
  });
});

describe('an error arrives', () => {
  it('with its class name, message, code and its own stack', () => {
    const sent = new DatabaseError('locked');
    const arrived = crossing(sent);
    expect(arrived).toMatchObject({ name: 'DatabaseError', message: 'locked', code: 'E_LOCKED' });
    expect(arrived.stack).toBe(sent.stack);
    expect(Object.keys(arrived)).not.toContain('stack');
  });

  it('as an instance of its class where that is one of the language', () => {
    for (const Kind of [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
      expect(crossing(new Kind('k'))).toBeInstanceOf(Kind);
    }
  });

  it('with a code that is a number', () => {
    expect(crossing(Object.assign(new Error('e'), { code: 7 }))).toMatchObject({ code: 7 });
    expect('code' in crossing(Object.assign(new Error('e'), { code: {} }))).toBe(false);
  });

  it('with its causes, as errors', () => {
    const root = new DatabaseError('root');
    const middle = new TypeError('middle', { cause: root });
    const arrived = crossing(new Error('top', { cause: middle }));
    expect(arrived.cause).toBeInstanceOf(TypeError);
    expect(arrived.cause).toMatchObject({ message: 'middle', stack: middle.stack });
    expect((arrived.cause as Error).cause).toMatchObject({
      name: 'DatabaseError',
      code: 'E_LOCKED',
    });
  });

  it('with a cause that is no error: itself where it is a primitive, else a text that says it', () => {
    for (const cause of ['disk full', 404, null, false, 7n]) {
      expect(crossing(new Error('e', { cause })).cause).toBe(cause);
    }
    expect(crossing(new Error('e', { cause: { status: 404 } })).cause).toBe('{"status":404}');
    expect(crossing(new Error('e', { cause: Symbol('s') })).cause).toBe('Symbol(s)');
    expect('cause' in crossing(new Error('e'))).toBe(false);
  });

  it('with no more than eight causes, so that a circle ends', () => {
    const circular = new Error('circular');
    circular.cause = circular;
    let depth = 0;
    for (let at: unknown = crossing(circular); at instanceof Error; at = at.cause) depth++;
    expect(depth).toBe(9);
  });

  it('without what AggregateError has more: its name and message say what it was', () => {
    const arrived = crossing(new AggregateError([new Error('one')], 'two failed'));
    expect(arrived).toMatchObject({ name: 'AggregateError', message: 'two failed' });
    expect(arrived).not.toHaveProperty('errors');
  });
});

describe('an error of the runtime arrives', () => {
  it('as a PluginError, whole', () => {
    const cause = new TypeError('why');
    const data = { phase: 'queued', timeoutMs: 5, nested: { list: [1, null, undefined] } };
    const sent = new PluginError('CALL_TIMEOUT', 'late', {
      pluginId: 'p',
      callId: 'p-1-2',
      data,
      cause,
    });
    const arrived = crossing(sent);
    expect(arrived).toBeInstanceOf(PluginError);
    expect(arrived).toMatchObject({
      name: 'PluginError',
      code: 'CALL_TIMEOUT',
      message: 'late',
      pluginId: 'p',
      callId: 'p-1-2',
      data,
      stack: sent.stack,
    });
    expect(arrived.cause).toBeInstanceOf(TypeError);
  });

  it('also at the end of a chain of causes, with data that is nested', () => {
    let error: Error = new PluginError('CALL_FAILED', 'deepest', { data: nested(7) });
    for (let i = 0; i < 7; i++) error = new Error(`cause ${String(i)}`, { cause: error });
    for (const arrived of [crossing(error), roundTrip(new Map([['e', error]])).get('e')]) {
      let deepest: unknown = arrived;
      while (deepest instanceof Error && deepest.cause) deepest = deepest.cause;
      expect(deepest).toMatchObject({ code: 'CALL_FAILED', data: nested(7) });
    }
  });

  it('with data that is no MessagePack as text', () => {
    const arrived = crossing(pluginError({ f: no, when: new Date(0), id: 7 }));
    expect(arrived).toMatchObject({
      data: { f: 'function no', when: '"1970-01-01T00:00:00.000Z"', id: 7 },
    });
  });

  it('but not when only its code is one of ours', () => {
    const arrived = crossing(Object.assign(new Error('e'), { code: 'CALL_TIMEOUT' }));
    expect(arrived).not.toBeInstanceOf(PluginError);
    expect(arrived).toMatchObject({ code: 'CALL_TIMEOUT' });
  });
});

describe('a forged wire error', () => {
  it('gives an error, whatever its fields are', () => {
    const wild = fc.anything();
    const forged = fc.record({
      name: fc.oneof(
        fc.string(),
        fc.constantFrom('__proto__', 'constructor', 'toString', 'TypeError'),
      ),
      message: fc.string(),
      code: fc.oneof(wild, fc.constant('CALL_FAILED')),
      stack: wild,
      cause: fc.oneof(wild, fc.record({ wireError: wild, text: wild })),
      plugin: wild,
    });
    fc.assert(
      fc.property(forged, (wire) => {
        const error = fromWireError(wire as WireError);
        expect(error).toBeInstanceOf(Error);
        expect(error.message).toBe(wire.message);
      }),
    );
  });

  it('is not taken for one without a name and a message', () => {
    const good = { name: 'n', message: 'm' };
    expect(isWireError(good)).toBe(true);
    for (const bad of [null, undefined, 'n', [], {}, { name: 'n' }, { ...good, message: 1 }]) {
      expect(isWireError(bad)).toBe(false);
    }
  });
});

it('a description of a value is short and never throws', () => {
  const values = [
    'x'.repeat(1e5),
    Array.from({ length: 1e4 }, () => 'x'),
    new Proxy({}, TRAPS as object),
    no,
  ];
  for (const value of values) expect(inWords(value).length).toBeLessThan(210);
});

function throwing(...names: string[]): Error {
  const error = new Error('hidden');
  // a stack is made when it is first asked for, of the name and message there are then
  expect(error.stack).toContain('hidden');
  for (const name of names) Object.defineProperty(error, name, { get: no });
  return error;
}

function fields(values: Record<string, unknown>): Error {
  const error = new Error('e');
  for (const [name, value] of Object.entries(values)) Object.defineProperty(error, name, { value });
  return error;
}

function pluginError(data: Record<string, unknown>): PluginError {
  return new PluginError('CALL_FAILED', 'p failed', { data });
}

/** Answers what it is once, and throws from then on. */
function forgetful(): Error {
  let asked = 0;
  return new Proxy(new Error('e'), {
    getPrototypeOf: (target) => (asked++ === 0 ? Reflect.getPrototypeOf(target) : no()),
  });
}

function nested(depth: number): Record<string, unknown> {
  return depth === 0 ? { end: true } : { inner: nested(depth - 1) };
}
