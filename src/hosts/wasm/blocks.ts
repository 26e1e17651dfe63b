/**
 * The memory of the Extism ABI, seen from the host: what a guest and its host pass through blocks.
 * Blocks live for one call.
 */
import { isUtf8 } from 'node:buffer';

import { BLOCKS_BASE64 } from './blocks-binary.ts';
import { GuestError } from './guest-error.ts';

/** What the guest calls by itself, from one instance into another. */
const GUEST_FUNCTIONS = [
  'alloc',
  'free',
  'length',
  'load_u8',
  'load_u64',
  'store_u8',
  'store_u64',
  'input_offset',
  'input_length',
  'input_load_u8',
  'input_load_u64',
  'output_set',
  'error_set',
] as const;

/** The codes of blocks.wat. */
const REFUSALS = [
  'it reads at',
  'it writes at',
  'it reads its input at',
  'it sets as its output what is at',
  'it sets as its error what is at',
] as const;

interface BlocksExports {
  reset(): void;
  alloc(bytes: bigint): bigint;
  length(at: bigint): bigint;
  input: { value: number };
  inputBytes: { value: number };
  output: { value: number };
  outputBytes: { value: number };
  error: { value: number };
  refused: { value: bigint };
}

let compiled: WebAssembly.Module | undefined;

export class Blocks {
  /** For the imports of a guest. */
  readonly functions: Record<string, unknown>;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: BlocksExports;
  readonly #pagesMax: number;
  #bytes = Buffer.alloc(0);

  constructor(pagesMax: number) {
    compiled ??= new WebAssembly.Module(Buffer.from(BLOCKS_BASE64, 'base64'));
    this.#pagesMax = pagesMax;
    this.#memory = new WebAssembly.Memory({ initial: 1, maximum: pagesMax });
    const { exports } = new WebAssembly.Instance(compiled, {
      host: {
        memory: this.#memory,
        refuse: (code: number, at: bigint) => {
          throw this.#refusal(code, at);
        },
      },
    });
    // written here, as blocks.wat has them
    this.#exports = exports as unknown as BlocksExports;
    const functions = GUEST_FUNCTIONS.map((name) => [name, exports[name]] as const);
    this.functions = Object.fromEntries([...functions, ['length_unsafe', exports['length']]]);
  }

  get pages(): number {
    return this.#memory.buffer.byteLength / PAGE_BYTES;
  }

  /** A new call with this input. What blocks held before is gone. */
  begin(input: Uint8Array | string): void {
    this.#exports.reset();
    const at = this.add(input);
    this.#exports.input.value = Number(at);
    this.#exports.inputBytes.value = at === 0n ? 0 : this.view(at).byteLength;
  }

  /** A view: it is another's with the next call. */
  output(): Buffer {
    const { output, outputBytes } = this.#exports;
    const start = output.value >>> 0;
    return this.#all().subarray(start, start + (outputBytes.value >>> 0));
  }

  clearOutput(): void {
    this.#exports.outputBytes.value = 0;
  }

  /** What the guest says went wrong. */
  error(): string | undefined {
    const { value } = this.#exports.error;
    return value === 0 ? undefined : this.text(BigInt(value >>> 0));
  }

  /** A new block; address 0 for no bytes. */
  add(value: Uint8Array | string): bigint {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    if (bytes.byteLength === 0) return 0n;
    const at = this.#exports.alloc(BigInt(bytes.byteLength));
    if (at === 0n) {
      throw new GuestError(
        `${String(bytes.byteLength)} bytes for it do not fit into wasm.memoryPagesMax (${String(this.#pagesMax)})`,
      );
    }
    this.#all().set(bytes, Number(at));
    return at;
  }

  /** The bytes of a block, as a view; none at address 0. */
  view(at: bigint): Buffer {
    if (at === 0n) return Buffer.alloc(0);
    const start = Number(BigInt.asUintN(64, at));
    const length = Number(this.#exports.length(at));
    if (length === 0) throw new GuestError(`it passes ${addressOf(at)}, which is no block`);
    const all = this.#all();
    // what a guest writes over the head of a block can only hurt itself
    return all.subarray(start, Math.min(start + length, all.byteLength));
  }

  text(at: bigint): string {
    const bytes = this.view(at);
    if (!isUtf8(bytes)) throw new GuestError(`what it passes at ${addressOf(at)} is not UTF-8`);
    return bytes.toString('utf8');
  }

  /** @param what it is, for the error. */
  json(at: bigint, what: string): unknown {
    if (at === 0n) return undefined;
    try {
      return JSON.parse(this.text(at)) as unknown;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new GuestError(`${what} is not JSON: ${why}`);
    }
  }

  /** Memory that grew has another buffer. */
  #all(): Buffer {
    const { buffer } = this.#memory;
    if (this.#bytes.buffer !== buffer) this.#bytes = Buffer.from(buffer);
    return this.#bytes;
  }

  #refusal(code: number, at: bigint): GuestError {
    const refused = this.#exports.refused.value;
    const what = `${REFUSALS[code] ?? 'it uses'} ${addressOf(at)}, where no block is`;
    if (refused === 0n) return new GuestError(what);
    return new GuestError(
      `${what}; before, it asked for a block of ${String(BigInt.asUintN(64, refused))} bytes, which does not fit into wasm.memoryPagesMax (${String(this.#pagesMax)})`,
    );
  }
}

const PAGE_BYTES = 64 * 1024;

function addressOf(at: bigint): string {
  return `address ${String(BigInt.asUintN(64, at))}`;
}
