/**
 * Memory that threads of a program share, for what one of them makes and all the others can begin
 * with. One thread writes it, once; those that start later read it.
 */
const STATE = 0;
const LENGTH = 1;
const HEADER_BYTES = 2 * Int32Array.BYTES_PER_ELEMENT;

const EMPTY = 0;
const TAKEN = 1;
const READY = 2;

export class OnceCell {
  readonly #words: Int32Array;
  readonly #memory: SharedArrayBuffer;

  /** The system gives it real memory where something is written only. */
  static create(bytesMax: number): SharedArrayBuffer {
    return new SharedArrayBuffer(HEADER_BYTES + bytesMax);
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
  write(...parts: Uint8Array[]): void {
    const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (HEADER_BYTES + length > this.#memory.byteLength) return;
    const target = new Uint8Array(this.#memory, HEADER_BYTES);
    let at = 0;
    for (const part of parts) {
      target.set(part, at);
      at += part.byteLength;
    }
    Atomics.store(this.#words, LENGTH, length);
    Atomics.store(this.#words, STATE, READY);
  }
}
