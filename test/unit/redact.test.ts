import { describe, expect, it } from 'vitest';

import { createRedactor } from '../../src/protocol/redact.ts';
import { fc } from '../support/properties.ts';

const KEY = 'sk-0123456789';

describe('a redactor', () => {
  it('leaves no secret in a text, whatever the secret and whatever is around it', () => {
    const secret = fc.string({ minLength: 4, maxLength: 12, unit: 'grapheme' });
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (key, before, after) => {
        // one that is found in its own replacement would be found for ever
        fc.pre(!'[secret]'.includes(key));
        const { text } = createRedactor([key]);
        expect(text(`${before}${key}${after}`)).toContain('[secret]');
        expect(text(`${before}${key}${after}`).split('[secret]').join('|')).not.toContain(key);
      }),
    );
  });

  it('replaces every occurrence, and where one secret is part of another the whole of it', () => {
    const { text } = createRedactor(['pass', 'password', 'other']);
    expect(text('password, pass, other, password')).toBe('[secret], [secret], [secret], [secret]');
  });

  it('takes a secret as text, not as a pattern', () => {
    const { text } = createRedactor(['a.c*(d)', '[z-z]']);
    expect(text('a.c*(d) abc*(d) [z-z] z')).toBe('[secret] abc*(d) [secret] z');
  });

  it('finds it escaped for JSON and for a URL, and each of its lines', () => {
    const secret = 'first "line"\nsecond/line';
    const { text } = createRedactor([secret]);
    const forms = [secret, JSON.stringify(secret), encodeURIComponent(secret), 'x second/line x'];
    expect(forms.map(text)).toEqual(['[secret]', '"[secret]"', '[secret]', 'x [secret] x']);
  });

  it('lets stand what is shorter than four characters, and what is no secret', () => {
    const { text } = createRedactor(['', 'abc', KEY]);
    expect(text('abc and nothing else')).toBe('abc and nothing else');
  });

  it('without secrets gives back what it got', () => {
    const { text, value } = createRedactor(['abc']);
    const given = { some: ['abc'] };
    expect(value(given)).toBe(given);
    expect(text('abc')).toBe('abc');
  });
});

describe('a value without its secrets', () => {
  const { value } = createRedactor([KEY, '5150']);

  it('is a copy with every text in it replaced: keys, Maps, Sets, nested, boxed', () => {
    const given = {
      text: `key: ${KEY}`,
      [KEY]: [KEY, { deep: KEY }],
      map: new Map([[KEY, new Set([KEY])]]),
      boxed: Object(KEY) as unknown,
    };
    expect(value(given)).toEqual({
      'text': 'key: [secret]',
      '[secret]': ['[secret]', { deep: '[secret]' }],
      'map': new Map([['[secret]', new Set(['[secret]'])]]),
      'boxed': '[secret]',
    });
    expect(given.text).toBe(`key: ${KEY}`);
  });

  it('hides a number that is one, and no number that only contains it', () => {
    expect(value([5150, 5150n, 51_500, 0.515])).toEqual(['[secret]', '[secret]', 51_500, 0.515]);
  });

  it('keeps cycles, and a key that would be a prototype', () => {
    const given = JSON.parse(`{ "__proto__": "${KEY}" }`) as Record<string, unknown>;
    given['self'] = given;
    const copy = value(given);
    expect(copy['self']).toBe(copy);
    expect(Object.getOwnPropertyDescriptor(copy, '__proto__')?.value).toBe('[secret]');
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  it('has errors without them, causes included', () => {
    const error = new RangeError(KEY, { cause: new Error(`because of ${KEY}`) });
    const copy = value(error);
    expect(copy).toBeInstanceOf(RangeError);
    expect(copy).toMatchObject({ message: '[secret]', cause: { message: 'because of [secret]' } });
    expect(copy.stack).not.toContain(KEY);
  });

  it('keeps what has no text as it is', () => {
    const [date, bytes, fn] = [new Date(0), new Uint8Array([1]), () => KEY];
    const { a, b, c, d } = value({ a: date, b: bytes, c: fn, d: null });
    expect([a, b, c, d]).toEqual([date, bytes, fn, null]);
    expect([a === date, b === bytes, c === fn]).toEqual([true, true, true]);
  });
});
