import { describe, expect, it } from 'vitest';

import { PluginError } from '../../src/protocol/errors.ts';
import { describe as inWords } from '../../src/protocol/wire-error.ts';
import { crossing } from '../support/crossing.ts';
import { fc } from '../support/properties.ts';

class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code = 'E_LOCKED';
}

const no = (): never => {
  throw new Error('no');
};
const TRAPS = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((trap) => [trap, no]),
) as ProxyHandler<object>;

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
    ['a circular object', { circular, m: new Map() }, 'thrown value: '],
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
    ['a PluginError with data that is a proxy', pluginError(new Proxy({}, TRAPS)), 'p'],
    [
      'a PluginError with data that cannot be sent',
      pluginError({ f: no, p: new Proxy({}, TRAPS) }),
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

it('a description of a value is short and never throws', () => {
  const values = [
    'x'.repeat(1e5),
    Array.from({ length: 1e4 }, () => 'x'),
    new Proxy({}, TRAPS),
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
