/**
 * One direction of the shared-memory carrier: a byte ring with one writer and one reader, in two
 * threads. Neither ever waits for the other here; what does not fit is refused.
 *
 *   byte 0    head i32     bytes ever written; the writer's
 *   byte 64   tail i32     bytes ever read; the reader's
 *   byte 128  asleep i32   1: the reader is to be woken; set by the reader, cleared by the writer
 *   byte 132  looking i32  1: the reader looks instead of sleeping (polling-cores.ts)
 *   byte 192  the ring: records of 8 bytes of head and their bytes, each filled up to 8
 *
 * A record's head is its length u32 and a number u32 of its writer's. A record lies in one piece:
 * where the end of the ring is too near, a record of length {@link SKIP} fills it. Cursors wrap at
 * 32 bits and are compared by difference.
 */

const HEAD = 0;
const TAIL = 16;
const ASLEEP = 32;
const LOOKING_BYTE = 132;
const DATA_BYTES = 192;
const RECORD_BYTES = 8;
const SKIP = 0xffff_ffff;

/** The word of a ring that says whether its reader is counted among those that look. */
export function seatOf(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory, LOOKING_BYTE, 1);
}

/** Memory for a ring of so many bytes: a power of two. */
export function ringMemory(capacity: number): SharedArrayBuffer {
  return new SharedArrayBuffer(DATA_BYTES + capacity);
}

export function isRingSized(memory: SharedArrayBuffer, capacity: number): boolean {
  return memory.byteLength === DATA_BYTES + capacity;
}

export class RingWriter {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #capacity: number;
  #head: number;
  /** What the reader had read when that was last looked at. */
  #tail: number;

  constructor(memory: SharedArrayBuffer) {
    this.#capacity = memory.byteLength - DATA_BYTES;
    this.#words = new Int32Array(memory, 0, DATA_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.#bytes = new Uint8Array(memory, DATA_BYTES);
    this.#view = new DataView(memory, DATA_BYTES);
    this.#head = Atomics.load(this.#words, HEAD);
    this.#tail = Atomics.load(this.#words, TAIL);
  }

  /** False where there is no room for it now. */
  write(batch: Uint8Array, number: number): boolean {
    const bytes = RECORD_BYTES + filledUp(batch.byteLength);
    let at = this.#head & (this.#capacity - 1);
    const untilEnd = this.#capacity - at;
    const skipped = bytes > untilEnd ? untilEnd : 0;
    if (!this.#hasRoom(skipped + bytes)) return false;
    if (skipped > 0) {
      this.#view.setUint32(at, SKIP, true);
      at = 0;
    }
    this.#view.setUint32(at, batch.byteLength, true);
    this.#view.setUint32(at + 4, number, true);
    this.#bytes.set(batch, at + RECORD_BYTES);
    this.#head = (this.#head + skipped + bytes) | 0;
    Atomics.store(this.#words, HEAD, this.#head);
    return true;
  }

  /** The reader has read all there was, and is awake. */
  get isHungry(): boolean {
    return (
      Atomics.load(this.#words, ASLEEP) === 0 && Atomics.load(this.#words, TAIL) === this.#head
    );
  }

  /** True once for each time the reader fell asleep: then it is to be woken. */
  mustWake(): boolean {
    return (
      Atomics.load(this.#words, ASLEEP) === 1 &&
      Atomics.compareExchange(this.#words, ASLEEP, 1, 0) === 1
    );
  }

  #hasRoom(bytes: number): boolean {
    const free = (): number => this.#capacity - ((this.#head - this.#tail) | 0);
    if (free() >= bytes) return true;
    this.#tail = Atomics.load(this.#words, TAIL);
    return free() >= bytes;
  }
}

export class RingReader {
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #capacity: number;
  #tail: number;

  constructor(memory: SharedArrayBuffer) {
    this.#capacity = memory.byteLength - DATA_BYTES;
    this.#words = new Int32Array(memory, 0, DATA_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.#bytes = Buffer.from(memory, DATA_BYTES);
    this.#view = new DataView(memory, DATA_BYTES);
    this.#tail = Atomics.load(this.#words, TAIL);
  }

  get isEmpty(): boolean {
    return Atomics.load(this.#words, HEAD) === this.#tail;
  }

  /** The number of the next record, without taking it; `undefined` where there is none. */
  peek(): number | undefined {
    const at = this.#next();
    return at === undefined ? undefined : this.#view.getUint32(at + 4, true);
  }

  /** Takes the next record: a copy, as its writer may be a thread that nobody trusts. @throws RangeError */
  take(): Buffer {
    const at = this.#next();
    if (at === undefined) throw new RangeError('an empty ring');
    const length = this.#view.getUint32(at, true);
    const bytes = RECORD_BYTES + filledUp(length);
    const held = (Atomics.load(this.#words, HEAD) - this.#tail) | 0;
    // bytes that no writer of ours wrote
    const isWhole = length <= this.#capacity && bytes <= held && at + bytes <= this.#capacity;
    if (!isWhole) throw new RangeError('a broken ring');
    const from = at + RECORD_BYTES;
    const batch = Buffer.allocUnsafe(length);
    this.#bytes.copy(batch, 0, from, from + length);
    this.#advance(bytes);
    return batch;
  }

  /** From now on the writer wakes it. False: something came meanwhile, and nobody will. */
  sleep(): boolean {
    Atomics.store(this.#words, ASLEEP, 1);
    if (this.isEmpty) return true;
    // who comes first, this or the writer, takes the mark away
    return Atomics.compareExchange(this.#words, ASLEEP, 1, 0) === 0;
  }

  /** From now on the writer need not wake it. */
  wake(): void {
    Atomics.store(this.#words, ASLEEP, 0);
  }

  /** Where the next record lies. */
  #next(): number | undefined {
    if (this.isEmpty) return undefined;
    const at = this.#tail & (this.#capacity - 1);
    if (this.#view.getUint32(at, true) !== SKIP) return at;
    this.#advance(this.#capacity - at);
    return this.isEmpty ? undefined : 0;
  }

  #advance(bytes: number): void {
    this.#tail = (this.#tail + bytes) | 0;
    Atomics.store(this.#words, TAIL, this.#tail);
  }
}

function filledUp(bytes: number): number {
  return (bytes + 7) & ~7;
}
