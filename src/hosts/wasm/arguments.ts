/** Calls of functions that know no ABI: numbers in and out, and texts by pointer and length. */
import type { WasmSignature } from '../../protocol/wasm-boot.ts';
import { GuestError } from './guest-error.ts';
import { textOf } from './output.ts';
import type { Argument, Returned } from './request.ts';

/** Exports by which a guest gives room for so many bytes, as they are commonly called. */
const ALLOCATORS = ['alloc', 'allocate', 'malloc', '__alloc'];

export interface Applied {
  name: string;
  called: (...args: unknown[]) => unknown;
  signature: WasmSignature | undefined;
  args: readonly Argument[];
  returns: Returned;
  exports: Readonly<Record<string, unknown>>;
  memory: WebAssembly.Memory | undefined;
}

export interface Prepared {
  /** Runs the guest. */
  run: () => unknown;
  /** What of its result is the caller's. */
  take: (result: unknown) => unknown;
}

/** Everything that can be known to be wrong is found before the guest runs. */
export function prepare(applied: Applied): Prepared {
  const { name, called, args, signature } = applied;
  const numbers = args.flatMap((arg) => (isText(arg) ? [0, 0] : [arg]));
  const wanted = signature?.params ?? '?'.repeat(called.length);
  if (numbers.length !== wanted.length) {
    throw new GuestError(
      `${name} takes ${argumentsSaid(wanted.length)}${said(wanted)}, and was given ${String(numbers.length)}${args.some(isText) ? ' (a text counts as two)' : ''}`,
    );
  }
  for (const [at, value] of numbers.entries()) {
    const want = wanted[at] ?? '?';
    if (want === '?' || fits(value, want)) continue;
    throw new GuestError(`argument ${String(at + 1)} of ${name} must be ${NAMES[want] ?? want}`);
  }
  if (args.some(isText)) allocatorOf(applied);
  return {
    run: () => {
      const passed = args.flatMap((arg): (number | bigint)[] =>
        isText(arg) ? place(arg, applied) : [arg],
      );
      return called(...passed);
    },
    take: (result) => taken(result, applied),
  };
}

/** An integer may be meant with or without a sign. */
function fits(value: number | bigint, want: string): boolean {
  if (typeof value === 'bigint') return want === 'I' && value >= -(2n ** 63n) && value < 2n ** 64n;
  if (want === 'i') return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32;
  return want !== 'I';
}

const NAMES: Record<string, string> = {
  i: 'a whole number of 32 bits (i32)',
  I: 'a bigint of 64 bits (i64)',
  f: 'a number (f32)',
  F: 'a number (f64)',
};

function said(params: string): string {
  return /^[iIfF]+$/.test(params)
    ? ` (${params
        .split('')
        .map((type) => SHORT[type])
        .join(', ')})`
    : '';
}

const SHORT: Record<string, string> = { i: 'i32', I: 'i64', f: 'f32', F: 'f64' };

function argumentsSaid(count: number): string {
  return count === 1 ? '1 argument' : `${String(count)} arguments`;
}

function isText(arg: Argument): arg is string | Uint8Array {
  return typeof arg === 'string' || arg instanceof Uint8Array;
}

function allocatorOf({ name, exports, memory }: Applied): (bytes: number) => unknown {
  const allocator = ALLOCATORS.map((each) => exports[each]).find(
    (each) => typeof each === 'function',
  );
  if (allocator && memory) return allocator as (bytes: number) => unknown;
  throw new GuestError(
    `a text for ${name} needs an exported memory and one of the exports ${ALLOCATORS.join(', ')}`,
  );
}

/** Puts a text where the guest says that there is room for it. */
function place(value: string | Uint8Array, applied: Applied): number[] {
  const { memory } = applied;
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  const pointer = Number(allocatorOf(applied)(bytes.byteLength)) >>> 0;
  slice(memory, pointer, bytes.byteLength).set(bytes);
  return [pointer, bytes.byteLength];
}

/** A pointer and a length: two results, or one of 64 bits with the pointer in its upper half. */
function taken(result: unknown, { name, returns, memory }: Applied): unknown {
  if (returns === 'value') return result;
  const [pointer, length] =
    typeof result === 'bigint'
      ? halves(result)
      : Array.isArray(result)
        ? (result as unknown[])
        : [];
  if (typeof pointer !== 'number' || typeof length !== 'number' || !memory) {
    throw new GuestError(
      `${name} returns no pointer and length: those are two results, or an i64 with the pointer in its upper half`,
    );
  }
  return copy(memory, pointer >>> 0, length >>> 0, returns);
}

function halves(value: bigint): [number, number] {
  const bits = BigInt.asUintN(64, value);
  return [Number(bits >> 32n), Number(bits & 0xffff_ffffn)];
}

export function copy(
  memory: WebAssembly.Memory | undefined,
  pointer: number,
  length: number,
  as: 'text' | 'bytes',
): unknown {
  const bytes = slice(memory, pointer, length);
  return as === 'text' ? textOf(bytes, NO_TEXT) : new Uint8Array(bytes);
}

const NO_TEXT = "what is there is not UTF-8; ask for it as 'bytes'";

/** @throws GuestError beyond the end of the memory. */
export function slice(
  memory: WebAssembly.Memory | undefined,
  pointer: number,
  length: number,
): Buffer {
  if (!memory) throw new GuestError('it exports no memory');
  const { buffer } = memory;
  if (pointer + length <= buffer.byteLength) return Buffer.from(buffer, pointer, length);
  throw new GuestError(
    `${String(length)} bytes at ${String(pointer)} are not all inside its memory of ${String(buffer.byteLength)} bytes`,
  );
}
