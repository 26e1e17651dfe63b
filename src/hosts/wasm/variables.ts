/** The guest's variables: what it keeps from call to call, whatever becomes of its memory. */
import { GuestError } from './guest-error.ts';

export class Variables {
  readonly #values = new Map<string, Uint8Array>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#values.size;
  }

  /** Names included. */
  get bytes(): number {
    return this.#bytes;
  }

  get(name: string): Uint8Array | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: Uint8Array): void {
    const bytes = this.#bytes - this.#held(name) + sizeOf(name, value);
    if (bytes > this.#bytesMax) {
      throw new GuestError(
        `its variables would hold ${String(bytes)} bytes, more than wasm.variableBytesMax (${String(this.#bytesMax)})`,
      );
    }
    this.#values.set(name, new Uint8Array(value));
    this.#bytes = bytes;
  }

  delete(name: string): void {
    this.#bytes -= this.#held(name);
    this.#values.delete(name);
  }

  snapshot(): Map<string, Uint8Array> {
    return new Map(this.#values);
  }

  /** @throws GuestError for what no snapshot is. */
  restore(saved: unknown): void {
    if (!(saved instanceof Map)) throw new GuestError('what is to be restored is no snapshot');
    for (const name of this.#values.keys()) this.delete(name);
    for (const [name, value] of saved) {
      if (typeof name === 'string' && value instanceof Uint8Array) this.set(name, value);
      else throw new GuestError('what is to be restored has more than variables in it');
    }
  }

  #held(name: string): number {
    const value = this.#values.get(name);
    return value ? sizeOf(name, value) : 0;
  }
}

function sizeOf(name: string, value: Uint8Array): number {
  return Buffer.byteLength(name) + value.byteLength;
}
