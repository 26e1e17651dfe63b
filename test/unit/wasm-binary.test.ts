import { describe, expect, it } from 'vitest';
import wabt from 'wabt';

import { inspectModule } from '../../src/kernel/wasm-binary.ts';
import { WasmFormatError } from '../../src/kernel/wasm-reader.ts';
import { fc } from '../support/properties.ts';

const assembler = await wabt();

function assemble(text: string): Uint8Array {
  const module = assembler.parseWat('m.wat', text, { threads: true, reference_types: true });
  return new Uint8Array(module.toBinary({ write_debug_names: true }).buffer);
}

/** What the memory that a module exports as `m` may grow by. */
function growth(bytes: Uint8Array, imports: WebAssembly.Imports = {}): number {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  const grow = exports['grow'] as (by: number) => number;
  let grown = 0;
  while (grown < 64 && grow(1) !== -1) grown++;
  return grown;
}

const GROW = '(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))';

describe('the limit of a memory', () => {
  it.each([
    ['without one', '(memory 1)', 7],
    ['with a higher one', '(memory 1 200)', 7],
    ['with a lower one', '(memory 1 3)', 2],
    ['of no pages', '(memory 0)', 8],
    ['that is full', '(memory 8)', 0],
  ])('is written into a module %s', (_, memory, grown) => {
    expect(growth(inspectModule(assemble(`(module ${memory} ${GROW})`), 8).bytes)).toBe(grown);
  });

  it('is told of a memory that is imported, and written into it', () => {
    const text = `(module (import "a" "f" (func)) (import "env" "memory" (memory 2))
      (import "a" "t" (table 1 funcref)) (import "a" "g" (global i32)) ${GROW})`;
    const { bytes, memoryImports } = inspectModule(assemble(text), 8);
    expect(memoryImports).toEqual([
      { module: 'env', name: 'memory', pages: 2, pagesMax: 8, shared: false },
    ]);
    expect(WebAssembly.Module.imports(new WebAssembly.Module(bytes))).toHaveLength(4);
  });

  it('is one for all of a module', () => {
    const several = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 5, 5, 2, 0, 1, 0, 1);
    expect(() => inspectModule(several, 8)).toThrow('more than one memory');
  });

  it('is not less than what a memory begins with', () => {
    expect(() => inspectModule(assemble('(module (memory 9))'), 8)).toThrow('begins with 9 pages');
  });
});

describe('the limit of tables', () => {
  it('is written into a module, and shared by all of its tables', () => {
    const text = `(module (table $a 10 funcref) (table $b 10 300 funcref)
      (func (export "a") (param i32) (result i32) (table.grow $a (ref.null func) (local.get 0)))
      (func (export "b") (param i32) (result i32) (table.grow $b (ref.null func) (local.get 0))))`;
    const { bytes } = inspectModule(assemble(text), 8);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    const { a, b } = exports as Record<string, (by: number) => number>;
    expect([a?.(499_991), a?.(499_990), a?.(1)]).toEqual([-1, 10, -1]);
    expect([b?.(291), b?.(290), b?.(1)]).toEqual([-1, 10, -1]);
  });

  it('is not less than what they begin with', () => {
    const several = '(module (table 400000 funcref) (table 400000 funcref) (table 200001 funcref))';
    expect(() => inspectModule(assemble(several), 8)).toThrow('begin with 1000001 elements');
  });

  it('is none that can be written beside an initializer, so that is refused', () => {
    const section = [0x40, 0x00, 0x70, 0x00, 1, 0xd0, 0x70, 0x0b];
    const bytes = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 4, section.length + 1, 1, ...section);
    expect(() => inspectModule(bytes, 8)).toThrow('a table with an initializer');
  });
});

describe('a list', () => {
  it.each([
    ['exports', 7],
    ['imports', 2],
    ['functions', 3],
    ['types', 1],
  ])('of more %s than there can be is not read', (_, id) => {
    // two million, of which none is there
    const bytes = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, id, 4, 0x80, 0x89, 0x7a, 0);
    expect(() => inspectModule(bytes, 8)).toThrow(/2000000/);
  });

  it('of very many functions is', () => {
    const head = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0];
    // 300,000 of the first type
    const functions = [3, 0xe3, 0xa7, 0x12, 0xe0, 0xa7, 0x12];
    const bytes = Buffer.concat([Uint8Array.from([...head, ...functions]), Buffer.alloc(300_000)]);
    expect(inspectModule(bytes, 8).bytes).toHaveLength(bytes.byteLength);
  });
});

describe('the signatures of a module', () => {
  it('are those of the functions it exports, imported ones counted', () => {
    const text = `(module (import "a" "f" (func (param i64)))
      (func (export "one") (param i32 f32) (result f64) f64.const 0)
      (func $hidden) (func (export "none"))
      (memory (export "memory") 1) (export "passed on" (func 0)))`;
    expect(inspectModule(assemble(text), 8).signatures).toEqual({
      'one': { params: 'if', results: 'F' },
      'none': { params: '', results: '' },
      'passed on': { params: 'I', results: '' },
    });
  });
});

/** What reading it came to: nothing wrong, or what it says. */
function complaintOf(bytes: Uint8Array): string {
  try {
    return inspectModule(bytes, 8).bytes.byteLength > 0 ? '' : 'nothing was read';
  } catch (error) {
    return error instanceof WasmFormatError ? '' : String(error);
  }
}

describe('bytes that are no module', () => {
  const sound = assemble(`(module (import "a" "f" (func)) (memory 1) ${GROW})`);

  it('of any kind are refused by name, and never read past their end', () => {
    const damaged = fc.tuple(fc.nat(sound.length - 1), fc.nat(255), fc.nat(sound.length));
    fc.assert(
      fc.property(damaged, ([at, byte, length]) => {
        const bytes = Uint8Array.from(sound);
        bytes[at] = byte;
        expect(complaintOf(bytes.subarray(0, length))).toBe('');
      }),
    );
  });

  it('are refused at every length', () => {
    for (let length = 0; length < sound.length; length++) {
      expect(complaintOf(sound.subarray(0, length))).toBe('');
    }
  });
});
