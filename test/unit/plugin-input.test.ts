/** What the borders of the bundled plugins have in common. */
import { describe, expect, it } from 'vitest';

import { CodedError, messageOf } from '../../plugins/coded-error.ts';
import { opOf, unknownIn } from '../../plugins/input.ts';

const refused = (problem: string): Error => new CodedError('SOME_INVALID_INPUT', problem);

describe('an op', () => {
  it('is parted from what else is said', () => {
    const input = { op: 'get', key: 'a' };
    expect(opOf(input, ['get', 'put'], refused)).toEqual({ op: 'get', fields: { key: 'a' } });
  });

  it.each<[unknown, string]>([
    [null, 'the input is null, not an object with an op: get, put'],
    [['get'], 'the input is an array, not an object with an op: get, put'],
    [{ op: 7 }, 'there is no op of type number: there are get, put'],
    [{ op: 'gte' }, "there is no op 'gte' (did you mean 'get'?): there are get, put"],
    [{ op: 'x'.repeat(90) }, `there is no op '${'x'.repeat(80)}…': there are get, put`],
  ])('is refused where it is none: %j', (input, message) => {
    const error = expect.objectContaining({ code: 'SOME_INVALID_INPUT', message }) as Error;
    expect(() => opOf(input, ['get', 'put'], refused)).toThrow(error);
  });
});

describe('a field', () => {
  it('is unknown where it is none of the known, and not there where it is undefined', () => {
    expect(unknownIn({ kye: 1, key: 2 }, ['key'])).toBe(
      "'kye' (did you mean 'key'?): there is key",
    );
    expect(unknownIn({ toString: 1 }, [])).toBe("'toString': there are none");
    expect(unknownIn({ key: 1, old: undefined }, ['key'])).toBeUndefined();
  });
});

describe('what was thrown', () => {
  it.each<[unknown, string]>([
    [new Error('no'), 'no'],
    [new RangeError(), 'RangeError'],
    ['text', 'text'],
    [Object.create(null), 'something that cannot be shown'],
  ])('is told as a text', (thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
  });
});
