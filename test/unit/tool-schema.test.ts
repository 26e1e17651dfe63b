import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { nearest } from '../../plugins/nearest.ts';
import { openJsonSchemas } from '../../plugins/tool/json-schema.ts';
import { prepareSchema, type Checked } from '../../plugins/tool/schema.ts';
import type { JsonSchema, ToolSchema } from '../../src/plugin.ts';

async function check(schema: ToolSchema, value: unknown): Promise<Checked> {
  const prepared = await prepareSchema(schema, 'input', openJsonSchemas);
  return prepared.check(value);
}

async function told(
  schema: ToolSchema,
  direction: 'input' | 'output' = 'input',
): Promise<JsonSchema> {
  return (await prepareSchema(schema, direction, openJsonSchemas)).json;
}

/** A Standard Schema that tells of nothing but its check. */
const standard = (extra = {}): ToolSchema => ({
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) =>
      value === 1 ? { value: 'one' } : { issues: [{ message: 'no', path: ['a', { key: 0 }] }] },
    ...extra,
  },
});

describe('a schema of zod', () => {
  it('checks by itself, with its defaults, transforms and refinements', async () => {
    const schema = z.object({
      a: z.string().transform((text) => text.length),
      b: z.number().default(7),
      c: z
        .string()
        .optional()
        .refine((text) => text !== 'x', 'not x'),
    });
    expect(await check(schema, { a: 'four' })).toEqual({ value: { a: 4, b: 7 } });
    expect(await check(schema, { a: 1, c: 'x' })).toEqual({
      problems: ['a: Invalid input: expected string, received number', 'c: not x'],
    });
  });

  it('is told as what it takes, or as what it makes', async () => {
    const schema = z.object({ a: z.number().default(1) });
    expect(await told(schema)).not.toHaveProperty('required');
    expect(await told(schema, 'output')).toMatchObject({ required: ['a'] });
  });

  it('is told as anything where JSON Schema has no words for it', async () => {
    expect(await told(z.object({ when: z.date() }))).toMatchObject({ properties: { when: {} } });
  });
});

describe('a Standard Schema', () => {
  it('of an unknown library checks, and is told as an object', async () => {
    expect(await check(standard(), 1)).toEqual({ value: 'one' });
    expect(await check(standard(), 2)).toEqual({ problems: ['a.0: no'] });
    expect(await told(standard())).toEqual({ type: 'object' });
  });

  it('is told by its own JSON Schema, where it has one', async () => {
    const jsonSchema = { input: () => ({ type: 'object', title: 'mine' }) };
    expect(await told(standard({ jsonSchema }))).toEqual({ type: 'object', title: 'mine' });
    const none = {
      input: () => {
        throw new Error('not mine');
      },
    };
    await expect(told(standard({ jsonSchema: none }))).rejects.toThrow('no JSON Schema: not mine');
  });

  it('may be a function', async () => {
    const schema = Object.assign(() => undefined, standard());
    expect(await check(schema as unknown as ToolSchema, 1)).toEqual({ value: 'one' });
  });
});

describe('JSON Schema', () => {
  it('checks by ajv, with formats, defaults and all problems', async () => {
    const schema = {
      type: 'object',
      properties: {
        mail: { type: 'string', format: 'email' },
        size: { enum: ['s', 'm'] },
        deep: { type: 'object', properties: { n: { type: 'integer', default: 3 } } },
      },
      required: ['mail'],
      additionalProperties: false,
      example: { mail: 'a@example.com' },
    };
    expect(await check(schema, { mail: 'a@example.com', deep: {} })).toEqual({
      value: { mail: 'a@example.com', deep: { n: 3 } },
    });
    expect(await check(schema, { mail: 'x', size: 'l', deep: { n: 1.5 }, more: 1 })).toEqual({
      problems: [
        "must NOT have additional properties ('more')",
        'mail: must match format "email"',
        'size: must be equal to one of the allowed values: ["s","m"]',
        'deep.n: must be integer',
      ],
    });
  });

  it('takes no inherited name for an argument', async () => {
    const schema = { type: 'object', required: ['constructor', 'toString'] };
    expect(await check(schema, {})).toHaveProperty('problems.length', 2);
  });

  it('is of the draft it says', async () => {
    const tuple = { type: 'array', items: [{ type: 'string' }], additionalItems: false };
    const draft7 = { $schema: 'http://json-schema.org/draft-07/schema#', ...tuple };
    expect(await check(draft7, ['a'])).toHaveProperty('value');
    expect(await check(draft7, [1])).toHaveProperty('problems');
    await expect(check(tuple, ['a'])).rejects.toThrow('items');
    const prefix = { type: 'array', prefixItems: [{ type: 'string' }], items: false };
    expect(await check(prefix, ['a', 1])).toHaveProperty('problems');
  });

  it('may have the $id of another one', async () => {
    const schemas = await openJsonSchemas();
    const one = schemas.compile({ $id: 'https://example.com/a', type: 'string' });
    const two = schemas.compile({ $id: 'https://example.com/a', type: 'number' });
    expect([await one('a'), await two(1)]).toEqual([{ value: 'a' }, { value: 1 }]);
  });

  it.each<[JsonSchema, string]>([
    [{ propertise: {} }, 'unknown keyword "propertise"; did you mean "properties"?'],
    [{ properties: { a: { minimun: 1 } } }, 'unknown keyword "minimun"; did you mean "minimum"?'],
    [{ shape: {} }, 'unknown keyword "shape"'],
    [{ $async: true }, '"$async" is not supported'],
    [{ $ref: '#/nowhere' }, "can't resolve reference"],
    [{ type: 'string', pattern: '(' }, 'regular expression'],
  ])('is refused where it checks nothing: %j', async (schema, message) => {
    await expect(told(schema)).rejects.toThrow(message);
  });

  it('tells the first problem of a value with very many', async () => {
    const schema = { type: 'array', items: { type: 'string' } };
    const many = Array.from({ length: 100_000 }, (_, index) => index);
    expect(await check(schema, many)).toEqual({ problems: ['0: must be string'] });
    expect(await check(schema, [1, 2])).toEqual({
      problems: ['0: must be string', '1: must be string'],
    });
  });

  it.each([[[]], [7], ['x'], [null]])('is no %j', async (schema) => {
    await expect(told(schema as never)).rejects.toThrow(
      'it must be a zod or other Standard Schema',
    );
  });
});

describe('the nearest name', () => {
  it.each([
    ['caclulator', 'calculator'],
    ['JSON', 'json'],
    ['jsn', 'json'],
    ['x', undefined],
    ['something else', undefined],
  ])('of %s is %s', (name, expected) => {
    expect(nearest(name, ['calculator', 'json', 'a'])).toBe(expected);
  });
});
