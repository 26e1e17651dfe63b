/** `json`: JSONPath, JSON Pointer and JSON Patch on a document, each within bounds. */
import { JSONPatch, JSONPathEnvironment, JSONPointer, UNDEFINED, type OpObject } from 'json-p3';
import type { ToolCall, ToolDefinition } from 'troupe/plugin';

import { messageOf } from '../../coded-error.ts';
import type { JsonOptions } from '../options.ts';
import { ToolError } from '../tool-error.ts';

type Json = Parameters<JSONPathEnvironment['query']>[1];

interface Arguments {
  op: 'query' | 'get' | 'patch';
  document: unknown;
  path?: string;
  patch?: OpObject[];
}

interface Bounds {
  resultsMax: number;
  documentBytesMax: number;
}

const PATCH_OPS_MAX = 1_000;
/** Each `..` looks at everything below each place the one before found. */
const DESCENTS_MAX = 3;

export function json({
  resultsMax = 1_000,
  documentBytesMax = 1024 * 1024,
}: JsonOptions): ToolDefinition {
  const bounds = { resultsMax, documentBytesMax };
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
      if (op === 'query') return query(path, value, bounds, call);
      if (op === 'get') return get(path, value);
      if (!patch)
        throw new ToolError('JSON_PATCH', "op 'patch' needs 'patch', a list of operations");
      return { document: changed(patch, value, bounds, call) };
    },
  };
}

function documentOf(document: unknown, { documentBytesMax }: Bounds): Json {
  let text: string;
  try {
    text = typeof document === 'string' ? document : (JSON.stringify(document) ?? 'null');
  } catch (error) {
    throw new ToolError('JSON_DOCUMENT', `the document is not JSON: ${messageOf(error)}`);
  }
  if (Buffer.byteLength(text) > documentBytesMax) throw tooLarge(documentBytesMax);
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    // a text that is no JSON may be meant as the value
    throw new ToolError('JSON_DOCUMENT', `the document is not JSON: ${messageOf(error)}`);
  }
}

function query(
  path: string,
  value: Json,
  { resultsMax }: Bounds,
  call: ToolCall,
): Record<string, unknown> {
  if (path.split('..').length - 1 > DESCENTS_MAX) {
    throw new ToolError('JSON_PATH', `a query may have at most ${String(DESCENTS_MAX)} '..'`);
  }
  const environment = new JSONPathEnvironment();
  // their patterns would run in an engine that a hostile one keeps busy for years
  for (const name of ['match', 'search']) environment.functionRegister.delete(name);
  const results: { path: string; value: unknown }[] = [];
  try {
    for (const node of environment.lazyQuery(path, value)) {
      call.checkpoint();
      if (results.length >= resultsMax) return { results, truncated: true };
      results.push({ path: node.getPath(), value: node.value });
    }
  } catch (error) {
    if (call.signal.aborted) throw error;
    throw new ToolError('JSON_PATH', `the query failed: ${messageOf(error)}`);
  }
  return { results, truncated: false };
}

function get(path: string, value: Json): Record<string, unknown> {
  const found = resolve(path, value);
  return found === UNDEFINED ? { found: false } : { found: true, value: found };
}

/** One operation after the other, on a copy of its own: a copy made by `copy` shares nothing. */
function changed(
  patch: OpObject[],
  value: Json,
  { documentBytesMax }: Bounds,
  call: ToolCall,
): Json {
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

function asAdd(operation: OpObject, document: Json): OpObject {
  const { op, path, from = '' } = operation;
  if (op === 'move' && path.startsWith(`${from}/`)) {
    throw new Error('a value cannot be moved into itself');
  }
  if (op !== 'copy') return operation;
  const value = resolve(from, document);
  if (value === UNDEFINED) throw new Error(`there is nothing at '${from}'`);
  return { op: 'add', path, value: structuredClone(value) as Json };
}

function resolve(path: string, value: Json): unknown {
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
