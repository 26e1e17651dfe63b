/** Walks the bytes of a WebAssembly module, or of one of its sections, and never past their end. */

/** What is wrong with a module, as the rest of a sentence. */
export class WasmFormatError extends Error {
  override readonly name = 'WasmFormatError';
}

const LETTERS: ReadonlyMap<number, string> = new Map([
  [0x7f, 'i'],
  [0x7e, 'I'],
  [0x7d, 'f'],
  [0x7c, 'F'],
]);
/** A reference that names its type: that follows. */
const NAMED_REFERENCES = new Set([0x63, 0x64]);
const LEB_BYTES_MAX = 10;

export class WasmReader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at === this.#bytes.byteLength;
  }

  /** The next byte, which stays the next. */
  peek(): number | undefined {
    return this.#bytes[this.at];
  }

  byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw new WasmFormatError('it is cut off, or damaged');
    this.at++;
    return byte;
  }

  u32(): number {
    return this.#leb(2 ** 32);
  }

  /** What a double does not hold exactly is far beyond any limit. */
  u64(): number {
    return this.#leb(2 ** 64);
  }

  name(): string {
    const length = this.u32();
    return Buffer.from(this.#take(length)).toString('utf8');
  }

  /** @throws WasmFormatError for more items than `max`, before it reads any. */
  list<T>(read: () => T, max: number): T[] {
    const length = this.u32();
    if (length > max) {
      throw new WasmFormatError(
        `it has a list of ${String(length)} entries, and ${String(max)} are the most`,
      );
    }
    const items: T[] = [];
    // one that is too long ends where the bytes do
    for (let left = length; left > 0; left--) items.push(read());
    return items;
  }

  /** As a letter, see WasmSignature. */
  valueType(): string {
    const type = this.byte();
    if (NAMED_REFERENCES.has(type)) this.u64();
    return LETTERS.get(type) ?? '?';
  }

  section(length: number): WasmReader {
    return new WasmReader(this.#take(length));
  }

  between(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }

  #take(length: number): Uint8Array {
    const end = this.at + length;
    if (end > this.#bytes.byteLength) throw new WasmFormatError('it is cut off, or damaged');
    const taken = this.#bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  #leb(limit: number): number {
    let value = 0;
    for (let position = 0; position < LEB_BYTES_MAX; position++) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** (7 * position);
      if (byte >= 128) continue;
      if (value < limit) return value;
      break;
    }
    throw new WasmFormatError('it has a number that is too large');
  }
}
