import { describe, expect, it } from 'vitest';

import { PluginError } from '../../src/protocol/errors.ts';
import { fromWireError, isWireError, type WireError } from '../../src/protocol/wire-error.ts';
import { roundTrip } from '../support/codec.ts';
import { crossing } from '../support/crossing.ts';
import { fc } from '../support/properties.ts';

class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code = 'E_LOCKED';
}

const no = (): never => {
  throw new Error('no');
};

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

function pluginError(data: Record<string, unknown>): PluginError {
  return new PluginError('CALL_FAILED', 'p failed', { data });
}

function nested(depth: number): Record<string, unknown> {
  return depth === 0 ? { end: true } : { inner: nested(depth - 1) };
}
