import { describe, expect, it } from 'vitest';

import { bodyOf, decode, encode } from '../../src/protocol/codec.ts';
import { LIMITS, refusalOf, roundTrip } from '../support/codec.ts';

const noop = (): void => undefined;

describe('what cannot be sent is refused with PAYLOAD_INVALID, and the place is named:', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;

  const refused: [string, unknown, string][] = [
    ['a function in an object', { a: { b: noop } }, '["a"]["b"]'],
    ['a function in an array', [[], [1, noop]], '["1"]["1"]'],
    ['a symbol in a map', { m: new Map([['k', Symbol('s')]]) }, '["m"]["k"]'],
    ['a function in a set', { s: new Set([noop]) }, '["s"]'],
    ['a function as a key of a map', { m: new Map([[noop, 1]]) }, '["m"]'],
    ['a function below a bigint key', new Map([[1n, noop]]), '1'],
    ['a function below a circular key', new Map([[circular, noop]]), ''],
    ['a promise', { p: Promise.resolve() }, '["p"]'],
    ['a promise before a function', { p: Promise.resolve(), f: noop }, '["p"]'],
    ['a WeakMap', [new WeakMap()], '["0"]'],
    ['a WeakSet', [new WeakSet()], '["0"]'],
    ['a WeakRef', { deep: [new WeakRef({})] }, '["deep"]["0"]'],
    ['a method of a plain object', { toJSON: noop }, '["toJSON"]'],
  ];

  it.each(refused)('%s', (_, value, path) => {
    const refusal = refusalOf(() => encode(value, LIMITS));
    expect(refusal.code).toBe('PAYLOAD_INVALID');
    expect(refusal.message).toContain(path);
    expect(refusal.data['path']).toEqual(expect.stringContaining(path));
  });

  it.each(['function', 'symbol'])('the value itself, where it is a %s', (kind) => {
    const refusal = refusalOf(() => encode(kind === 'function' ? noop : Symbol('s'), LIMITS));
    expect(refusal).toMatchObject({ code: 'PAYLOAD_INVALID', data: {} });
    expect(refusal.message).toBe(`a ${kind} cannot be sent`);
  });
});

describe('a value that fights back', () => {
  const thrower = new Proxy(
    {},
    { ownKeys: () => fail('no keys'), getPrototypeOf: () => fail('no') },
  );
  const hostile: [string, unknown][] = [
    [
      'a getter that throws',
      {
        get a() {
          return fail('no');
        },
      },
    ],
    [
      'a getter of an instance that throws',
      new (class {
        own = {
          get a() {
            return fail('no');
          },
        };
      })(),
    ],
    [
      'a getter that throws undefined',
      {
        get a() {
          return fail(undefined);
        },
      },
    ],
    ['a proxy that throws', { thrower }],
    ['a revoked proxy', { revoked: revoked() }],
    ['a false view of a moved buffer', moved()],
  ];

  it.each(hostile)('is refused, nothing else: %s', (_, value) => {
    expect(refusalOf(() => encode(value, LIMITS)).code).toBe('PAYLOAD_INVALID');
  });

  it('leaves the codec as it was', () => {
    for (const [, value] of hostile) refusalOf(() => encode(value, LIMITS));
    expect(roundTrip({ a: [new Map([[1, 2]])] })).toEqual({ a: [new Map([[1, 2]])] });
  });

  it('is looked through without overflowing the stack, however deep it is', () => {
    const value = { first: new Set([noop]), deep: chain(100_000) };
    expect(refusalOf(() => encode(value, LIMITS)).code).toBe('PAYLOAD_INVALID');
  });
});

describe('nesting', () => {
  const limits = { ...LIMITS, payloadDepthMax: 10 };
  const containers: [string, (inner: unknown) => unknown][] = [
    ['arrays', (inner) => [inner]],
    ['objects', (inner) => ({ inner })],
    ['maps', (inner) => new Map([['inner', inner]])],
    ['sets', (inner) => new Set([inner])],
  ];

  it.each(containers)('of %s reaches to the limit and no further', (_, wrap) => {
    const ten = nest(10, wrap);
    expect(roundTrip(ten, limits)).toEqual(ten);
    const refusal = refusalOf(() => encode(nest(11, wrap), limits));
    expect(refusal).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      data: { limit: 'payloadDepthMax', max: 10 },
    });
  });

  it('of a hundred thousand is refused, not a stack overflow', () => {
    const refusal = refusalOf(() => encode(chain(100_000), LIMITS));
    expect(refusal.code).toBe('PAYLOAD_TOO_LARGE');
    const mixed = new Map([['deep', chain(100_000)]]);
    expect(refusalOf(() => encode(mixed, LIMITS)).code).toBe('PAYLOAD_TOO_LARGE');
  });

  it('is bounded where it is decoded, too', () => {
    const body = bodyOf(
      encode(
        nest(11, (inner) => [inner]),
        LIMITS,
      ),
    );
    expect(refusalOf(() => decode(body, limits)).code).toBe('PAYLOAD_TOO_LARGE');
  });
});

describe('size', () => {
  const limits = { ...LIMITS, payloadBytesMax: 1_000 };
  const large: [string, unknown][] = [
    ['a string', 'x'.repeat(1_001)],
    ['text whose bytes are too many', '漢'.repeat(400)],
    ['an array', Array.from({ length: 1_001 }, () => 1)],
    ['a buffer', new ArrayBuffer(1_001)],
    ['a view', new Uint8Array(1_001)],
    ['many small values', Array.from({ length: 20 }, () => 'x'.repeat(60))],
    ['a map of many', new Map(Array.from({ length: 300 }, (_, i) => [i, 'xxx']))],
  ];

  it.each(large)('beyond the limit is refused: %s', (_, value) => {
    expect(refusalOf(() => encode(value, limits))).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      data: { limit: 'payloadBytesMax', max: 1_000 },
    });
  });

  it('up to the limit, to the byte, is carried', () => {
    const most = 'x'.repeat(997); // a string of this length has three bytes before it
    expect(encode(most, limits).frame.byteLength - encode('', limits).frame.byteLength).toBe(999);
    expect(roundTrip(most, limits)).toBe(most);
    expect(refusalOf(() => encode(`${most}x`, limits)).code).toBe('PAYLOAD_TOO_LARGE');
  });

  it('is bounded where it is decoded, too', () => {
    const body = bodyOf(encode('x'.repeat(2_000), LIMITS));
    expect(refusalOf(() => decode(body, limits)).code).toBe('PAYLOAD_TOO_LARGE');
  });

  it('of moved buffers does not count: their bytes are not copied', () => {
    const pixels = new Uint8Array(100_000);
    expect(encode(pixels, limits, [pixels.buffer]).frame.byteLength).toBeLessThan(200);
  });

  it('of a sparse array is refused by the sender where the receiver would refuse it', () => {
    const sparse: unknown[] = [];
    sparse.length = 2 ** 24 + 1;
    expect(refusalOf(() => encode({ sparse }, LIMITS)).code).toBe('PAYLOAD_TOO_LARGE');
  });

  it('of a sparse array is the number of its items: holes are not even looked at', () => {
    const sparse = Object.assign([], { 1_000_000: 'x' });
    let looks = 0;
    const counted = new Proxy(sparse, {
      has: (target, key) => {
        looks++;
        return Reflect.has(target, key);
      },
      get: (target, key): unknown => {
        looks++;
        return Reflect.get(target, key);
      },
    });
    expect(encode({ counted }, LIMITS).frame.byteLength).toBeLessThan(100);
    expect(looks).toBeLessThan(1_000);
  });
});

function fail(thrown: unknown): never {
  throw thrown;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function moved(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

function nest(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 'bottom';
  for (let i = 0; i < depth; i++) value = wrap(value);
  return value;
}

function chain(depth: number): unknown {
  return nest(depth, (inner) => [inner]);
}
