/** What the plugin is called with, in turn. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { messageOf, usageError } from '../cli-error.ts';
import { nameOf, parseArray, parseJson, parseLines } from './parse-inputs.ts';

/** Of an iterable, which may have no end. */
const ITERATED_MAX = 100_000;
const MODULE = /\.[cm]?[jt]s$/;

export interface Inputs {
  /** For people. */
  source: string;
  /** `undefined`: a function makes them. */
  count: number | undefined;
  /** Of the file or text they come from: two results with the same one had the same inputs. */
  sha256: string;
  /** What the user should know about them. */
  note: string | undefined;
  /** The next one, or a promise of it. */
  next: () => unknown;
}

export interface InputsFrom {
  inputsFile: string | undefined;
  inputJson: string | undefined;
}

/** @throws CliError where there are none, or the file is missing, unknown or malformed. */
export async function readInputs({ inputsFile, inputJson }: InputsFrom): Promise<Inputs> {
  if (inputJson !== undefined) {
    return inTurn('--input', inputJson, [parseJson(inputJson, '--input')]);
  }
  if (inputsFile === undefined) {
    const remedy = 'every call is made with null. Give --inputs FILE, or --input JSON';
    return { ...inTurn('null', 'null', [null]), note: `no inputs were given: ${remedy}` };
  }
  const source = path.basename(inputsFile);
  const text = await textOf(inputsFile);
  if (inputsFile.endsWith('.json')) return inTurn(source, text, parseArray(text, inputsFile));
  if (/\.(ndjson|jsonl)$/.test(inputsFile))
    return inTurn(source, text, parseLines(text, inputsFile));
  if (MODULE.test(inputsFile)) return fromModule(source, text, inputsFile);
  const known = '.json (an array), .ndjson or .jsonl (one input a line), .mjs, .js, .cjs or .ts';
  throw usageError(`${inputsFile}: inputs come from a file that ends in ${known}`);
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw usageError(
      isMissing ? `no such file: ${file} (--inputs)` : `--inputs: ${messageOf(error)}`,
    );
  }
}

function inTurn(source: string, text: string, values: readonly unknown[]): Inputs {
  if (values.length === 0) throw usageError(`${source} has no inputs: at least one is needed`);
  let i = 0;
  const next = (): unknown => {
    if (i === values.length) i = 0;
    return values[i++];
  };
  return { source, count: values.length, sha256: hashOf(text), note: undefined, next };
}

async function fromModule(source: string, text: string, file: string): Promise<Inputs> {
  const given = await defaultExport(file);
  if (typeof given !== 'function') return iterated(source, text, given);
  const make = given as (callNumber: number) => unknown;
  const refuse = (error: unknown): never => {
    throw usageError(`${source}: its function threw: ${messageOf(error)}`, error);
  };
  const next = (callNumber: number): unknown => {
    try {
      const input = make(callNumber);
      return input instanceof Promise ? input.catch(refuse) : input;
    } catch (error) {
      return refuse(error);
    }
  };
  const first = await next(0);
  if (isIterable(first) && 'next' in first) return iterated(source, text, first);
  let made = 0;
  return {
    source,
    count: undefined,
    sha256: hashOf(text),
    note: undefined,
    next: () => next(made++),
  };
}

async function defaultExport(file: string): Promise<unknown> {
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(path.resolve(file)).href)) as { default?: unknown };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const remedy =
      code === 'ERR_UNKNOWN_FILE_EXTENSION'
        ? 'this Node does not import TypeScript; write the inputs in .mjs, .json or .ndjson'
        : messageOf(error);
    throw usageError(`${file} cannot be imported: ${remedy}`, error);
  }
  if (module.default !== undefined) return module.default;
  throw usageError(`${file} has no default export: an array, an iterable or a function is needed`);
}

async function iterated(source: string, text: string, given: unknown): Promise<Inputs> {
  if (Array.isArray(given)) return inTurn(source, text, given);
  if (typeof given === 'string' || !isIterable(given)) {
    const needed = 'an array, an iterable or a function is needed';
    throw usageError(`${source}: its default export is ${nameOf(given)}; ${needed}`);
  }
  const values: unknown[] = [];
  let isCut = false;
  for await (const value of given) {
    isCut = values.length === ITERATED_MAX;
    if (isCut) break;
    values.push(value);
  }
  const note = `${source} gives more than ${ITERATED_MAX.toLocaleString('en')} inputs: those are taken`;
  return { ...inTurn(source, text, values), note: isCut ? note : undefined };
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value)
  );
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
