import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import wabt from 'wabt';

import { BLOCKS_BASE64 } from '../../src/hosts/wasm/blocks-binary.ts';
import { Blocks } from '../../src/hosts/wasm/blocks.ts';

const assembler = await wabt();

interface Functions {
  alloc(bytes: bigint): bigint;
  free(at: bigint): void;
  length(at: bigint): bigint;
  load_u8(at: bigint): number;
  load_u64(at: bigint): bigint;
  store_u8(at: bigint, value: number): void;
  store_u64(at: bigint, value: bigint): void;
  input_length(): bigint;
  input_load_u64(at: bigint): bigint;
  output_set(at: bigint, bytes: bigint): void;
  error_set(at: bigint): void;
}

function begun(
  input: Uint8Array | string = '',
  pagesMax = 16,
): { blocks: Blocks; guest: Functions } {
  const blocks = new Blocks(pagesMax);
  blocks.begin(input);
  return { blocks, guest: blocks.functions as unknown as Functions };
}

describe('the blocks of a guest', () => {
  it('are what their text says', () => {
    const file = new URL('../../src/hosts/wasm/blocks.wat', import.meta.url);
    const module = assembler.parseWat('blocks.wat', readFileSync(file, 'utf8'), {
      bulk_memory: true,
    });
    const { buffer } = module.toBinary({});
    expect(BLOCKS_BASE64).toBe(Buffer.from(buffer).toString('base64'));
  });

  it('lie apart, and keep what is put into them', () => {
    const { blocks, guest } = begun('the input');
    const sizes = [1, 15, 16, 17, 100, 4_096, 65_536, 65_537, 100_000];
    const at = sizes.map((size) => guest.alloc(BigInt(size)));
    for (const [index, block] of at.entries()) {
      expect(guest.length(block)).toBe(BigInt(sizes[index] ?? 0));
      for (let byte = 0; byte < (sizes[index] ?? 0); byte++)
        guest.store_u8(block + BigInt(byte), index);
    }
    for (const [index, block] of at.entries()) {
      expect(blocks.view(block).every((byte) => byte === index)).toBe(true);
    }
    expect(guest.input_length()).toBe(9n);
    expect(guest.input_load_u64(0n)).toBe(Buffer.from('the inpu').readBigUInt64LE());
  });

  it('are used again once they are free', () => {
    const { blocks, guest } = begun();
    for (const size of [1n, 100n, 60_000n, 200_000n]) {
      const first = guest.alloc(size);
      guest.free(first);
      expect(guest.length(first)).toBe(0n);
      expect(guest.alloc(size)).toBe(first);
      guest.free(first);
      guest.free(first);
    }
    for (let round = 0; round < 1_000; round++) guest.free(guest.alloc(300_000n));
    expect(blocks.pages).toBeLessThanOrEqual(16);
  });

  it('are none for no bytes, and none where there is no room', () => {
    const { guest } = begun();
    expect(guest.alloc(0n)).toBe(0n);
    expect(guest.alloc(17n * 65_536n)).toBe(0n);
    expect(guest.alloc(2n ** 63n)).toBe(0n);
    expect(guest.alloc(-1n)).toBe(0n);
    expect(() => guest.store_u8(0n, 1)).toThrow(
      'it writes at address 0, where no block is; before, it asked for a block of 18446744073709551615 bytes',
    );
  });

  it('are gone with their call', () => {
    const { blocks, guest } = begun('first');
    const kept = guest.alloc(1_000n);
    guest.output_set(kept, 10n);
    guest.error_set(kept);
    blocks.begin('');
    expect(guest.length(kept)).toBe(0n);
    expect(blocks.output()).toHaveLength(0);
    expect(blocks.error()).toBeUndefined();
    expect(() => guest.load_u8(kept)).toThrow('reads at');
  });

  it('are refused beyond their ends', () => {
    const { guest } = begun('12345678');
    const last = guest.alloc(16n);
    expect(() => guest.load_u64(last + 9n)).toThrow('reads at');
    expect(() => guest.store_u64(last + 9n, 1n)).toThrow('writes at');
    expect(() => guest.load_u8(-1n)).toThrow('reads at address 18446744073709551615');
    expect(() => guest.input_load_u64(1n)).toThrow('reads its input at address 1');
    expect(() => guest.input_load_u64(-4n)).toThrow('reads its input');
    expect(() => guest.output_set(last, 17n)).toThrow('sets as its output');
    expect(() => guest.output_set(last, 2n ** 63n)).toThrow('sets as its output');
    expect(() => guest.error_set(last + 1n)).toThrow('sets as its error');
    guest.output_set(0n, 0n);
    guest.error_set(0n);
  });

  it('can be written over by their guest, who harms itself alone', () => {
    const { blocks, guest } = begun();
    const at = guest.alloc(16n);
    const next = guest.alloc(16n);
    // the length of the next, which lies before it
    for (const byte of [12n, 11n, 10n, 9n]) guest.store_u8(next - byte, 255);
    expect(guest.length(next)).toBe(2n ** 32n - 1n);
    expect(blocks.view(next).byteLength).toBeLessThanOrEqual(blocks.pages * 65_536);
    guest.store_u64(at, -1n);
    expect(blocks.view(at).byteLength).toBe(16);
  });
});
