import { serialize } from 'node:v8';

import { describe, expect, it } from 'vitest';

import { areSameValue, decodeValue, encodeValue } from '../../plugins/storage/value-codec.ts';
import { fc } from '../support/properties.ts';

const PLACE = { namespace: 'pantry', key: 'cake' };

class CakeError extends RangeError {
  override readonly name = 'CakeError';
  readonly code = 'E_CAKE';
}

/** As the bus brings it: the class is one of JavaScript's own. */
function asSent({ name, message, code }: CakeError): Error {
  return Object.defineProperty(Object.assign(new Error(message), { code }), 'name', {
    value: name,
    configurable: true,
    writable: true,
  });
}

const same = (one: unknown, other: unknown): boolean =>
  areSameValue(encodeValue([one], PLACE), encodeValue([other], PLACE), PLACE);
const roundTrip = (value: unknown): unknown => decodeValue(encodeValue(value, PLACE), PLACE);

describe('a stored value', () => {
  it('is in V8’s own format where there is no error in it', () => {
    for (const value of [1, 'text', { a: [1, { b: new Map([[{}, new Set([1n])]]) }] }, null]) {
      expect(encodeValue(value, PLACE)).toEqual(serialize(value));
    }
  });

  it('that was kept in V8’s own format, errors included, is read as ever', () => {
    const old = serialize({ failure: new CakeError('it fell') });
    expect(decodeValue(old, PLACE)).toMatchObject({ failure: { message: 'it fell' } });
  });

  it('keeps of each error, wherever it is, name, message, code, cause and stack', () => {
    const cause = Object.assign(new TypeError('no flour'), { code: 404 });
    const error = new CakeError('it fell ✓', { cause });
    const value = roundTrip({
      list: [error, 1.5],
      map: new Map<unknown, unknown>([[error, new Set([cause])]]),
      numbers: new Float64Array([0.1]),
      nested: { deep: { plain: new SyntaxError('odd', { cause: 'a text' }) } },
    });
    expect(value).toMatchObject({
      list: [{ name: 'CakeError', message: 'it fell ✓', code: 'E_CAKE', stack: error.stack }, 1.5],
      numbers: new Float64Array([0.1]),
      nested: { deep: { plain: { name: 'SyntaxError', message: 'odd', cause: 'a text' } } },
    });
    const { list, map, nested } = value as {
      list: [Error];
      map: Map<Error, Set<Error>>;
      nested: { deep: { plain: Error } };
    };
    const [first] = list;
    // the same error is the same error
    expect([...map.keys()]).toEqual([first]);
    expect([...map.keys()][0]).toBe(first);
    const [set] = map.values();
    expect(set?.has(first.cause as Error)).toBe(true);
    expect(first.cause).toMatchObject({ name: 'TypeError', code: 404, stack: cause.stack });
    expect(first.cause).toBeInstanceOf(TypeError);
    expect(nested.deep.plain).toBeInstanceOf(SyntaxError);
    expect(Object.keys(first)).toEqual(['code']);
  });

  it('finds errors behind cycles, what is met often, and holes', () => {
    const cycle: { self?: unknown; list?: unknown[] } = {};
    cycle.self = cycle;
    let doubled: unknown = {};
    for (let n = 0; n < 40; n++) doubled = [doubled, doubled];
    const holes: unknown[] = [];
    holes[10_000_000] = new CakeError('far away');
    cycle.list = [doubled, holes];
    const { list, self } = roundTrip(cycle) as { list: unknown[][]; self: unknown };
    expect(self).toMatchObject({ list: [{}, {}] });
    expect(list[1]?.[10_000_000]).toMatchObject({ name: 'CakeError', code: 'E_CAKE' });
    expect(list[1]?.length).toBe(10_000_001);
  });

  it('has errors exactly where they were put', () => {
    const leaf = fc
      .constantFrom<unknown>(1, 'm"', undefined, null)
      .chain((other) =>
        fc.boolean().map((isError) => (isError ? asSent(new CakeError('it fell')) : other)),
      );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string({ maxLength: 3 }), tie('value'), { maxKeys: 4 }),
        fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
        fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((all) => new Map(all)),
      ),
    }));
    fc.assert(
      fc.property(value, (one) => {
        expect(roundTrip(one)).toEqual(one);
      }),
    );
  });

  it('with an error is compared by name, message, code and cause', () => {
    const cake = (): Error => new CakeError('it fell');
    expect(same(cake(), cake())).toBe(true);
    expect(same(cake(), new RangeError('it fell'))).toBe(false);
    expect(same(cake(), new CakeError('it rose'))).toBe(false);
    expect(same(cake(), Object.assign(new CakeError('it fell'), { code: 'E_PIE' }))).toBe(false);
  });

  it('that is cut off or none is corrupt, with errors or without', () => {
    const bytes = encodeValue(new CakeError('it fell'), PLACE);
    const none = Buffer.concat([Buffer.of(1), serialize('no table')]);
    for (const broken of [bytes.subarray(0, 1), bytes.subarray(0, 20), none, Buffer.alloc(0)]) {
      expect(() => decodeValue(broken, PLACE)).toThrow(
        expect.objectContaining({
          code: 'STORAGE_CORRUPT',
          message: expect.stringContaining(
            '"cake" in the namespace "pantry" is no value',
          ) as string,
        }),
      );
    }
  });
});
