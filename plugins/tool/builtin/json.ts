/** `json`: JSONPath, JSON Pointer and JSON Patch on a document, each within bounds. */
import { JSONPatch, JSONPointer, UNDEFINED, type JSONValue, type OpObject } from 'json-p3';
import type { ToolCall, ToolDefinition } from 'troupe/plugin';

import { messageOf } from '../../coded-error.ts';
import type { JsonOptions } from '../options.ts';
import { ToolError } from '../tool-error.ts';
import { query } from './json-query.ts';

interface Arguments {
  op: 'query' | 'get' | 'patch';
  document: unknown;
  path?: string;
  patch?: OpObject[];
}

interface Bounds {
  documentBytesMax: number;
}

const PATCH_OPS_MAX = 1_000;
/** Steps of a query for each byte a document may have; `$..*` takes two for a value. */
const QUERY_STEPS_A_BYTE = 4;
/** Of one on documents that are to be small. */
const QUERY_STEPS_MIN = 1_000_000;

export function json({
  resultsMax = 1_000,
  documentBytesMax = 1024 * 1024,
}: JsonOptions): ToolDefinition {
  const bounds = { documentBytesMax };
  const stepsMax = Math.max(QUERY_STEPS_A_BYTE * documentBytesMax, QUERY_STEPS_MIN);
  return {
    name: 'json',
    description:
      'Reads and changes a JSON document. query: all values that a JSONPath (RFC 9535) finds. get: ' +
      'the value at a JSON Pointer (RFC 6901). patch: the document after a JSON Patch (RFC 6902).',
    input: {
      type: 'object',
      properties: {
        op: { enum: ['query', 'get', 'patch'] },
        document: { description: 'The document: a JSON value, or its text' },
        path: { type: 'string', maxLength: 2_000, description: 'JSONPath or JSON Pointer' },
        patch: { type: 'array', maxItems: PATCH_OPS_MAX, items: { type: 'object' } },
      },
      required: ['op', 'document'],
      additionalProperties: false,
    },
    execute(args, call) {
      const { op, document, path = '', patch } = args as Arguments;
      const value = documentOf(document, bounds);
      if (op === 'query') return query(path, value, { resultsMax, stepsMax }, call);
      if (op === 'get') return get(path, value);
      if (!patch)
        throw new ToolError('JSON_PATCH', "op 'patch' needs 'patch', a list of operations");
      return { document: changed(patch, value, bounds, call) };
    },
  };
}

function documentOf(document: unknown, { documentBytesMax }: Bounds): JSONValue {
  let text: string;
  try {
    text = typeof document === 'string' ? document : (JSON.stringify(document) ?? 'null');
  } catch (error) {
    throw new ToolError('JSON_DOCUMENT', `the document is not JSON: ${messageOf(error)}`);
  }
  if (Buffer.byteLength(text) > documentBytesMax) throw tooLarge(documentBytesMax);
  try {
    return JSON.parse(text) as JSONValue;
  } catch (error) {
    // a text that is no JSON may be meant as the value
    throw new ToolError('JSON_DOCUMENT', `the document is not JSON: ${messageOf(error)}`);
  }
}

function get(path: string, value: JSONValue): Record<string, unknown> {
  const found = resolve(path, value);
  return found === UNDEFINED ? { found: false } : { found: true, value: found };
}

/** One operation after the other, on a copy of its own: a copy made by `copy` shares nothing. */
function changed(
  patch: OpObject[],
  value: JSONValue,
  { documentBytesMax }: Bounds,
  call: ToolCall,
): JSONValue {
  let document = value;
  for (const [index, operation] of patch.entries()) {
    call.checkpoint();
    try {
      document = new JSONPatch([asAdd(operation, document)]).apply(document);
    } catch (error) {
      throw new ToolError('JSON_PATCH', `operation ${String(index)}: ${messageOf(error)}`);
    }
    // copies of copies grow without bound
    if (operation.op === 'copy' && JSON.stringify(document).length > documentBytesMax) {
      throw tooLarge(documentBytesMax);
    }
  }
  return document;
}

function asAdd(operation: OpObject, document: JSONValue): OpObject {
  const { op, path, from = '' } = operation;
  if (op === 'move' && path.startsWith(`${from}/`)) {
    throw new Error('a value cannot be moved into itself');
  }
  if (op !== 'copy') return operation;
  const value = resolve(from, document);
  if (value === UNDEFINED) throw new Error(`there is nothing at '${from}'`);
  return { op: 'add', path, value: structuredClone(value) as JSONValue };
}

function resolve(path: string, value: JSONValue): unknown {
  try {
    const pointer = new JSONPointer(path);
    return pointer.exists(value) ? pointer.resolve(value) : UNDEFINED;
  } catch (error) {
    throw new ToolError('JSON_POINTER', `'${path}' is no JSON Pointer: ${messageOf(error)}`);
  }
}

function tooLarge(bytes: number): ToolError {
  return new ToolError('JSON_TOO_LARGE', `the document has more than ${String(bytes)} bytes`);
}
