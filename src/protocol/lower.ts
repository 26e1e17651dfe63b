/** A value to a table of nodes: rich-table.ts says what that is. */
import { CodecError, isCodecError } from './codec-error.ts';
import type { Apart } from './codec.ts';
import { APART_BYTES_MIN } from './limits.ts';
import { isPlainString } from './plain.ts';
import {
  isViewName,
  SPARSE_LENGTH_MAX,
  UNSENDABLE,
  type Attachment,
  type Node,
  type RichTable,
  type Slot,
  type ViewName,
} from './rich-table.ts';
import { describe, toWireError } from './wire-error.ts';

export interface LowerOptions {
  /** The buffers to be moved; what else travels beside the bytes is added. */
  attachments: Attachment[];
  /** Whether large buffers do. */
  apart?: Apart | undefined;
}

export function lower(value: unknown, depthMax: number, options: LowerOptions): RichTable {
  const lowering = new Lowering(depthMax, options);
  try {
    const root = lowering.slot(value, 0);
    return { nodes: lowering.nodes, root };
  } catch (error) {
    if (!isCodecError(error) || lowering.path.length === 0) throw error;
    const path = lowering.path.map((key) => `[${key}]`).join('');
    throw new CodecError(error.code, `${error.message} (at ${path})`, { ...error.data, path });
  }
}

class Lowering {
  readonly nodes: Node[] = [];
  /** Keys from the root to where it is, or stopped. */
  readonly path: string[] = [];
  readonly #indexes = new Map<object, number>();
  readonly #depthMax: number;
  readonly #attachments: Attachment[];
  readonly #apart: Apart | undefined;

  constructor(depthMax: number, { attachments, apart }: LowerOptions) {
    this.#depthMax = depthMax;
    this.#attachments = attachments;
    this.#apart = apart;
  }

  slot(value: unknown, depth: number): Slot {
    switch (typeof value) {
      case 'string':
        return isPlainString(value) ? value : ['utf16', Array.from(value, codeUnits).flat()];
      case 'number':
        return value === 0 && 1 / value < 0 ? ['-0', 0] : value;
      case 'bigint':
        return BigInt.asIntN(64, value) === value ? value : ['bigint', hexOf(value)];
      case 'function':
      case 'symbol':
        throw new CodecError('PAYLOAD_INVALID', `a ${typeof value} cannot be sent`);
      case 'object':
        return value === null ? null : [this.#node(value, depth)];
      default:
        return value;
    }
  }

  /** The slot of what lies under a key. */
  #under(key: unknown, value: unknown, depth: number): Slot {
    this.path.push(typeof key === 'string' ? JSON.stringify(key) : describe(key));
    const slot = this.slot(value, depth);
    this.path.pop();
    return slot;
  }

  #node(value: object, depth: number): number {
    const known = this.#indexes.get(value);
    if (known !== undefined) return known;
    if (depth >= this.#depthMax) {
      throw new CodecError('PAYLOAD_TOO_LARGE', `nested deeper than ${String(this.#depthMax)}`, {
        limit: 'payloadDepthMax',
        max: this.#depthMax,
      });
    }
    const index = this.nodes.length;
    this.#indexes.set(value, index);
    this.nodes.push(['pending']);
    this.nodes[index] = this.#describe(value, depth + 1);
    return index;
  }

  #describe(value: object, depth: number): Node {
    if (Array.isArray(value)) return this.#array(value, depth);
    if (ArrayBuffer.isView(value)) return this.#view(value);
    const kind = kindOf(value);
    switch (kind) {
      case 'Map': {
        const entries = Array.from(Map.prototype.entries.call(value), ([key, item]) => [
          this.slot(key, depth),
          this.#under(key, item, depth),
        ]);
        return ['Map', ...entries.flat()];
      }
      case 'Set':
        return ['Set', ...Array.from(Set.prototype.values.call(value), (v) => this.slot(v, depth))];
      case 'Date':
        return ['Date', Date.prototype.getTime.call(value)];
      case 'RegExp':
        return ['RegExp', (value as RegExp).source, (value as RegExp).flags];
      case 'Error':
        return ['Error', toWireError(value)];
      case 'ArrayBuffer': {
        const bytes = new Uint8Array(value as ArrayBuffer);
        const moved = this.#attachments.indexOf(value as ArrayBuffer);
        if (moved >= 0) return ['Attached', moved];
        return this.#isLarge(bytes) ? ['Attached', this.#setApart(bytes)] : ['ArrayBuffer', bytes];
      }
      case 'SharedArrayBuffer':
        return ['Attached', this.#attach(value as SharedArrayBuffer)];
      case 'Number':
      case 'String':
      case 'Boolean':
      case 'BigInt':
        return ['Boxed', this.slot(value.valueOf(), depth)];
      default:
        if (UNSENDABLE.test(kind)) {
          throw new CodecError('PAYLOAD_INVALID', `a ${kind} cannot be sent`);
        }
    }
    const entries = Object.keys(value).flatMap((key) => [
      this.slot(key, depth),
      this.#under(key, (value as Record<string, unknown>)[key], depth),
    ]);
    return ['Object', ...entries];
  }

  #array(value: readonly unknown[], depth: number): Node {
    const items: Slot[] = [];
    for (let i = 0; i < value.length; i++) {
      const item = value[i];
      if (item === undefined && !(i in value)) return this.#sparse(value, depth);
      items.push(this.#under(String(i), item, depth));
    }
    return ['Array', ...items];
  }

  /** Its items by index: holes are not looked at, however many there are. */
  #sparse(value: readonly unknown[], depth: number): Node {
    if (value.length > SPARSE_LENGTH_MAX) {
      const most = String(SPARSE_LENGTH_MAX);
      throw new CodecError('PAYLOAD_TOO_LARGE', `a sparse array longer than ${most}`);
    }
    const entries = Object.keys(value).flatMap((key): Slot[] => {
      const index = Number(key);
      const isItem = String(index) === key && index < value.length;
      return isItem ? [index, this.#under(key, value[index], depth)] : [];
    });
    return ['Sparse', value.length, ...entries];
  }

  #view(view: ArrayBufferView): Node {
    const name = viewName(view);
    const { buffer, byteOffset, byteLength } = view;
    const moved = this.#attachments.indexOf(buffer);
    if (moved >= 0 || buffer instanceof SharedArrayBuffer) {
      const attached = moved >= 0 ? moved : this.#attach(buffer);
      return ['View', name, ['Attached', attached], byteOffset, byteLength];
    }
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const source = this.#isLarge(bytes) ? ['Attached', this.#setApart(bytes)] : bytes;
    return ['View', name, source, 0, byteLength];
  }

  #isLarge({ byteLength }: Uint8Array): boolean {
    return this.#apart !== undefined && byteLength >= APART_BYTES_MIN;
  }

  #setApart(bytes: Uint8Array<ArrayBuffer>): number {
    const { buffer } = bytes;
    const isWhole = bytes.byteLength === buffer.byteLength && !isResizable(buffer);
    const own = isWhole && this.#apart === 'borrowed' ? buffer : copyOf(bytes);
    return this.#attachments.push(own) - 1;
  }

  #attach(buffer: Attachment): number {
    const index = this.#attachments.indexOf(buffer);
    return index >= 0 ? index : this.#attachments.push(buffer) - 1;
  }
}

/** The built-in it is, also one of another realm, where `instanceof` knows nothing. */
function kindOf(value: object): string {
  return value instanceof Error ? 'Error' : Object.prototype.toString.call(value).slice(8, -1);
}

/** Decimal text costs the square of its length. */
function hexOf(value: bigint): string {
  return value < 0n ? `-${(-value).toString(16)}` : value.toString(16);
}

function viewName(view: ArrayBufferView): ViewName {
  const name = Object.prototype.toString.call(view).slice(8, -1);
  if (isViewName(name)) return name;
  throw new CodecError('PAYLOAD_INVALID', `a ${name} cannot be sent`);
}

function codeUnits(character: string): number[] {
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
}

/** One that grows would arrive as one that grows. */
function isResizable(buffer: ArrayBuffer): boolean {
  return 'resizable' in buffer && buffer.resizable === true;
}

/** Of a megabyte in four fifths of the time that `slice` takes, which clears the memory first. */
function copyOf(bytes: Uint8Array): ArrayBuffer {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
  copy.set(bytes);
  return copy.buffer;
}
