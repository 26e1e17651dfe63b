/** The compiled form of a thread's entry, which one thread leaves to the next. */
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { requireCached } from '../../src/actor/code-cache.ts';
import { CodeCell } from '../../src/protocol/code-cell.ts';
import { CODE_BYTES_MAX } from '../../src/protocol/limits.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';

const SOURCE = `
  const { sep } = require('node:path');
  exports.twice = (n) => n * 2;
  exports.where = __filename;
  exports.failing = () => { throw new Error('here'); };
  module.exports.sep = sep;
`;

interface Exports {
  twice(n: number): number;
  where: string;
  sep: string;
  failing(): never;
}

async function bundle(source = SOURCE): Promise<string> {
  return path.join(await temporaryFolder({ 'entry.cjs': source }), 'entry.cjs');
}

describe('a cell for compiled code', () => {
  it('is for one writer, and read once that one has written', () => {
    const memory = CodeCell.create();
    const [first, second] = [new CodeCell(memory), new CodeCell(memory)];
    expect(second.read()).toBeUndefined();
    expect([first.claim(), second.claim(), first.claim()]).toEqual([true, false, false]);
    expect(second.read()).toBeUndefined();
    first.write(new Uint8Array([1, 2, 3]));
    expect([...(second.read() ?? [])]).toEqual([1, 2, 3]);
  });

  it('keeps nothing that is too much', () => {
    const cell = new CodeCell(CodeCell.create());
    cell.claim();
    cell.write(new Uint8Array(CODE_BYTES_MAX + 1));
    expect(cell.read()).toBeUndefined();
  });
});

describe('code that was compiled before', () => {
  it('is left behind by who runs it first, and does the same for who runs it next', async () => {
    const file = await bundle();
    const memory = CodeCell.create();
    const first = requireCached(file, memory) as Exports;
    await eventually(() => expect(new CodeCell(memory).read()?.length).toBeGreaterThan(100));
    const second = requireCached(file, memory) as Exports;
    for (const { twice, where, sep } of [first, second]) {
      expect([twice(21), where, sep]).toEqual([42, file, path.sep]);
    }
  });

  it('names the place of an error as the file has it', async () => {
    const file = await bundle('exports.failing = () => { throw new Error("here"); };');
    const { failing } = requireCached(file, CodeCell.create()) as Exports;
    expect(failing).toThrow('here');
    let stack: string | undefined;
    try {
      failing();
    } catch (error) {
      ({ stack } = error as Error);
    }
    expect(stack).toContain(`${file}:1:33)`);
  });

  it('is not taken where it is of a text of another length, or is no code', async () => {
    const memory = CodeCell.create();
    requireCached(await bundle(), memory);
    await eventually(() => expect(new CodeCell(memory).read()).toBeDefined());
    const other = requireCached(await bundle('exports.twice = (n) => n + n + 0.5;'), memory);
    expect((other as Exports).twice(1)).toBe(2.5);
    const garbled = CodeCell.create();
    const cell = new CodeCell(garbled);
    cell.claim();
    cell.write(new Uint8Array(5_000).fill(7));
    expect((requireCached(await bundle(), garbled) as Exports).twice(3)).toBe(6);
  });
});
