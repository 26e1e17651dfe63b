/** The compiled form of a thread's entry, which one thread leaves to the next. */
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { requireCached } from '../../src/actor/code-cache.ts';
import { createCodeCells, type CodeCells } from '../../src/protocol/code-cells.ts';
import { OnceCell } from '../../src/protocol/once-cell.ts';
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

function exportsOf(file: string, cells: CodeCells): Exports {
  return requireCached(file, cells).exports as Exports;
}

function kept(memory: SharedArrayBuffer): Uint8Array | undefined {
  return new OnceCell(memory).read();
}

describe('a cell that is written once', () => {
  it('is for one writer, and read once that one has written', () => {
    const memory = OnceCell.create(8);
    const [first, second] = [new OnceCell(memory), new OnceCell(memory)];
    expect(second.read()).toBeUndefined();
    expect([first.claim(), second.claim(), first.claim()]).toEqual([true, false, false]);
    expect(second.read()).toBeUndefined();
    first.write(new Uint8Array([1, 2, 3]), new Uint8Array([4]));
    expect([...(second.read() ?? [])]).toEqual([1, 2, 3, 4]);
  });

  it('keeps nothing that is too much', () => {
    const cell = new OnceCell(OnceCell.create(8));
    cell.claim();
    cell.write(new Uint8Array(5), new Uint8Array(4));
    expect(cell.read()).toBeUndefined();
  });
});

describe('code that was compiled before', () => {
  it('is left behind by who runs it first, and does the same for who runs it next', async () => {
    const file = await bundle();
    const cells = createCodeCells();
    const first = exportsOf(file, cells);
    await eventually(() => expect(kept(cells.started)?.length).toBeGreaterThan(100));
    const second = exportsOf(file, cells);
    for (const { twice, where, sep } of [first, second]) {
      expect([twice(21), where, sep]).toEqual([42, file, path.sep]);
    }
  });

  it('is left behind once more after a call, with what the call had compiled', async () => {
    const file = await bundle();
    const cells = createCodeCells();
    const { exports, called } = requireCached(file, cells);
    await eventually(() => expect(kept(cells.started)).toBeDefined());
    (exports as Exports).twice(1);
    called();
    expect(kept(cells.called)?.length).toBeGreaterThan(kept(cells.started)?.length ?? 0);
    expect(exportsOf(file, cells).twice(4)).toBe(8);
  });

  it('names the place of an error as the file has it', async () => {
    const file = await bundle('exports.failing = () => { throw new Error("here"); };');
    const { failing } = exportsOf(file, createCodeCells());
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
    const cells = createCodeCells();
    requireCached(await bundle(), cells);
    await eventually(() => expect(kept(cells.started)).toBeDefined());
    const other = exportsOf(await bundle('exports.twice = (n) => n + n + 0.5;'), cells);
    expect(other.twice(1)).toBe(2.5);
    const garbled = createCodeCells();
    const cell = new OnceCell(garbled.called);
    cell.claim();
    cell.write(new Uint8Array(5_000).fill(7));
    expect(exportsOf(await bundle(), garbled).twice(3)).toBe(6);
  });
});
