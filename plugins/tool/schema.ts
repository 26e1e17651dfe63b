/** A tool's schema of any kind: how values are checked by it, and the JSON Schema that tells it. */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import type { JsonSchema, ToolSchema } from 'troupe/plugin';

import { messageOf } from '../coded-error.ts';
import type { JsonSchemas } from './json-schema.ts';

/** The value as its schema wants it, or what is wrong with it. */
export type Checked = { value: unknown } | { problems: string[] };
export type Check = (value: unknown) => Checked | Promise<Checked>;

export interface PreparedSchema {
  json: JsonSchema;
  check: Check;
}

/** Opened where the first plain JSON Schema is met. */
export type OpenJsonSchemas = () => Promise<JsonSchemas>;

/**
 * @param direction what of the schema is told: what it takes, or what it makes of that.
 * @throws Error that says what is wrong with the schema.
 */
export async function prepareSchema(
  schema: ToolSchema,
  direction: 'input' | 'output',
  openJsonSchemas: OpenJsonSchemas,
): Promise<PreparedSchema> {
  if (isStandard(schema)) {
    return { json: await tell(schema, direction), check: checkByStandard(schema) };
  }
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw new Error('it must be a zod or other Standard Schema, or an object of JSON Schema');
  }
  const json = { ...schema };
  return { json, check: (await openJsonSchemas()).compile(json) };
}

function isStandard(schema: ToolSchema): schema is StandardSchemaV1 {
  // a schema of ArkType is a function
  const isObject = typeof schema === 'object' ? schema !== null : typeof schema === 'function';
  if (!isObject || !('~standard' in schema)) return false;
  const standard: unknown = schema['~standard'];
  return (
    typeof standard === 'object' &&
    standard !== null &&
    'validate' in standard &&
    typeof standard.validate === 'function'
  );
}

function checkByStandard(schema: StandardSchemaV1): Check {
  return async (value) => {
    const outcome = await schema['~standard'].validate(value);
    return outcome.issues ? { problems: outcome.issues.map(problemOf) } : { value: outcome.value };
  };
}

function problemOf({ path = [], message }: StandardSchemaV1.Issue): string {
  const at = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return at === '' ? message : `${at}: ${message}`;
}

/** A library that has no JSON Schema of its schemas tells of an object, and checks all the same. */
async function tell(schema: StandardSchemaV1, direction: 'input' | 'output'): Promise<JsonSchema> {
  try {
    if (tellsJsonSchema(schema)) {
      return schema['~standard'].jsonSchema[direction]({ target: 'draft-2020-12' });
    }
  } catch (error) {
    if (!isZod(schema))
      throw new Error(`it has no JSON Schema: ${messageOf(error)}`, { cause: error });
  }
  if (!isZod(schema)) return { type: 'object' };
  // dates and the like stand as anything
  const { toJSONSchema } = await import('zod');
  return toJSONSchema(schema as never, { io: direction, unrepresentable: 'any' });
}

function tellsJsonSchema(
  schema: StandardSchemaV1,
): schema is StandardSchemaV1 & StandardJSONSchemaV1 {
  return 'jsonSchema' in schema['~standard'];
}

/** Of version 4; 3 has no JSON Schema. */
function isZod(schema: StandardSchemaV1): boolean {
  return schema['~standard'].vendor === 'zod' && '_zod' in schema;
}
