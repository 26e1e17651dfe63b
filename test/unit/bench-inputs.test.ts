import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { readInputs, type Inputs } from '../../src/cli/bench/inputs.ts';
import { temporaryFolder } from '../support/files.ts';

async function inputsIn(name: string, text: string): Promise<Inputs> {
  const folder = await temporaryFolder();
  const inputsFile = path.join(folder, name);
  await writeFile(inputsFile, text);
  return readInputs({ inputsFile, inputJson: undefined });
}

async function firstOf({ next }: Inputs, count: number): Promise<unknown[]> {
  const values: unknown[] = [];
  for (let i = 0; i < count; i++) values.push(await next());
  return values;
}

async function complaint(name: string, text: string): Promise<string> {
  const error: unknown = await inputsIn(name, text).then(
    (inputs) => firstOf(inputs, 2),
    (reason: unknown) => reason,
  );
  return error instanceof Error ? error.message.replace(/\S*troupe-test-[^/\\]*[/\\]/, '') : 'none';
}

describe('inputs', () => {
  it.each([
    ['a.json', '[1, {"b": 2}]', 2],
    ['a.ndjson', '1\r\n\n{"b": 2}\n', 2],
    ['a.jsonl', '1\n{"b": 2}', 2],
    ['array.mjs', 'export default [1, { b: 2 }]', 2],
    ['set.mjs', 'export default new Set([1, { b: 2 }])', 2],
    ['generator.mjs', 'export default function* () { yield 1; yield { b: 2 }; }', 2],
    ['async.mjs', 'export default async function* () { yield 1; yield { b: 2 }; }', 2],
  ])('come in turn, and from the first again: %s', async (name, text, count) => {
    const inputs = await inputsIn(name, text);
    expect(await firstOf(inputs, 3)).toEqual([1, { b: 2 }, 1]);
    expect({ source: inputs.source, count: inputs.count }).toEqual({ source: name, count });
  });

  it.each([
    ['plain.mjs', 'export default (i) => i * i'],
    ['async.mjs', 'export default async (i) => i * i'],
  ])('are made by a function of the call number: %s', async (name, text) => {
    const inputs = await inputsIn(name, text);
    expect({ values: await firstOf(inputs, 4), count: inputs.count }).toEqual({
      values: [0, 1, 4, 9],
      count: undefined,
    });
  });

  it('are null where none are given, and that is said', async () => {
    const inputs = await readInputs({ inputsFile: undefined, inputJson: undefined });
    expect(await firstOf(inputs, 2)).toEqual([null, null]);
    expect(inputs.note).toMatch(/every call is made with null/);
  });

  it('are one for all calls with --input', async () => {
    const inputs = await readInputs({ inputsFile: undefined, inputJson: '{"a":1}' });
    expect(await firstOf(inputs, 2)).toEqual([{ a: 1 }, { a: 1 }]);
  });

  it('without an end are cut, and that is said', async () => {
    const text = 'export default function* () { for (let i = 0; ; i++) yield i; }';
    const { count, note } = await inputsIn('endless.mjs', text);
    expect({ count, note }).toEqual({
      count: 100_000,
      note: 'endless.mjs gives more than 100,000 inputs: those are taken',
    });
  });

  it('are known again by their text', async () => {
    const [a, b, c] = [
      await inputsIn('a.json', '[1]'),
      await inputsIn('b.json', '[1]'),
      await inputsIn('a.json', '[2]'),
    ];
    expect([a.sha256 === b.sha256, a.sha256 === c.sha256]).toEqual([true, false]);
  });

  it.each([
    ['a.ndjson', '1\n\n{"b":\n', /^a\.ndjson:3: not JSON \(one input a line\): /],
    ['a.ndjson', '\n', /^a\.ndjson has no inputs: at least one is needed$/],
    ['a.json', '[]', /^a\.json has no inputs/],
    ['a.json', '{}', /^a\.json holds an object: a JSON array of inputs is needed; .*--input JSON$/],
    ['a.json', '[1', /^a\.json is not JSON: /],
    ['a.txt', '1', /^a\.txt: inputs come from a file that ends in \.json \(an array\), /],
    ['a.mjs', 'export const x = 1', /^a\.mjs has no default export: /],
    ['a.mjs', 'export default 5', /^a\.mjs: its default export is a number; /],
    ['a.mjs', 'export default "text"', /^a\.mjs: its default export is a string; /],
    ['a.mjs', 'export default function* () {}', /^a\.mjs has no inputs/],
    [
      'a.mjs',
      'export default () => { throw new Error("dry") }',
      /^a\.mjs: its function threw: dry$/,
    ],
    [
      'a.mjs',
      'export default async () => { throw new Error("dry") }',
      /^a\.mjs: its function threw: dry$/,
    ],
    ['a.mjs', 'throw new Error("broken")', /^a\.mjs cannot be imported: broken$/],
  ])('are refused with what is wrong: %s %s', async (name, text, message) => {
    expect(await complaint(name, text)).toMatch(message);
  });

  it('are refused where the file is missing', async () => {
    const read = readInputs({ inputsFile: 'nowhere.json', inputJson: undefined });
    await expect(read).rejects.toThrow('no such file: nowhere.json (--inputs)');
  });
});
