/**
 * Memory that all threads of a program share: the compiled form of the code that every one of
 * them runs first. One thread writes it, once; those that start later read it.
 */
import { CODE_BYTES_MAX } from './limits.ts';

const STATE = 0;
const LENGTH = 1;
const HEADER_BYTES = 2 * Int32Array.BYTES_PER_ELEMENT;

const EMPTY = 0;
const TAKEN = 1;
const READY = 2;

export class CodeCell {
  readonly #words: Int32Array;
  readonly #memory: SharedArrayBuffer;

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(HEADER_BYTES + CODE_BYTES_MAX);
  }

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
    this.#words = new Int32Array(memory, 0, 2);
  }

  read(): Uint8Array | undefined {
    if (Atomics.load(this.#words, STATE) !== READY) return undefined;
    return new Uint8Array(this.#memory, HEADER_BYTES, Atomics.load(this.#words, LENGTH));
  }

  /** True for the one thread that is to write. Where it dies before it has, nobody reads anything. */
  claim(): boolean {
    return Atomics.compareExchange(this.#words, STATE, EMPTY, TAKEN) === EMPTY;
  }

  /** What is too much is not kept. */
  write(code: Uint8Array): void {
    if (code.byteLength > CODE_BYTES_MAX) return;
    new Uint8Array(this.#memory, HEADER_BYTES).set(code);
    Atomics.store(this.#words, LENGTH, code.byteLength);
    Atomics.store(this.#words, STATE, READY);
  }
}
