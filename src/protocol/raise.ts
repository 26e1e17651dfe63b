/** A table of nodes back to the value it stands for: rich-table.ts says what it is. */
import { CodecError } from './codec-error.ts';
import {
  isViewName,
  SPARSE_LENGTH_MAX,
  VIEWS,
  type Node,
  type RichTable,
  type Slot,
} from './rich-table.ts';
import { fromWireError, isWireError } from './wire-error.ts';

export function raise(table: unknown, attachments: readonly unknown[]): unknown {
  if (!isTable(table)) throw new CodecError('PAYLOAD_INVALID', 'not a table of nodes');
  return new Raising(table, attachments).value();
}

/** Shells first, then their contents: so a node may refer to any other, itself included. */
class Raising {
  readonly #nodes: readonly Node[];
  readonly #root: Slot;
  readonly #attachments: readonly unknown[];
  readonly #shells: unknown[];

  constructor(table: RichTable, attachments: readonly unknown[]) {
    this.#nodes = table.nodes;
    this.#root = table.root;
    this.#attachments = attachments;
    this.#shells = table.nodes.map((node) => this.#shell(node));
  }

  value(): unknown {
    this.#nodes.forEach((node, index) => {
      this.#fill(node, this.#shells[index]);
    });
    return this.#resolve(this.#root);
  }

  #shell([kind, ...data]: Node): unknown {
    switch (kind) {
      case 'Object':
        return {};
      case 'Array':
        return [];
      case 'Sparse':
        return this.#sparse(data);
      case 'Map':
        return new Map();
      case 'Set':
        return new Set();
      case 'Date':
        return new Date(numeric(data[0]));
      case 'RegExp':
        return new RegExp(String(data[0]), String(data[1]));
      case 'Error':
        return this.#error(data[0]);
      case 'ArrayBuffer':
        return ownBuffer(data[0]);
      case 'Attached':
        return this.#attached(data[0]);
      case 'View':
        return this.#view(data);
      case 'Boxed':
        return Object(this.#resolve(data[0])) as object;
      default:
        throw new CodecError('PAYLOAD_INVALID', `unknown node ${kind.slice(0, 40)}`);
    }
  }

  #fill(node: Node, shell: unknown): void {
    if (node[0] === 'Object' && typeof shell === 'object' && shell !== null) {
      for (let i = 1; i + 1 < node.length; i += 2) {
        // defined, never assigned: `__proto__` is a key like any other
        Object.defineProperty(shell, String(this.#resolve(node[i])), {
          value: this.#resolve(node[i + 1]),
          configurable: true,
          enumerable: true,
          writable: true,
        });
      }
    } else if (shell instanceof Map) {
      for (let i = 1; i + 1 < node.length; i += 2) {
        shell.set(this.#resolve(node[i]), this.#resolve(node[i + 1]));
      }
    } else if (shell instanceof Set) {
      for (let i = 1; i < node.length; i++) shell.add(this.#resolve(node[i]));
    } else if (node[0] === 'Array' && Array.isArray(shell)) {
      for (let i = 1; i < node.length; i++) shell.push(this.#resolve(node[i]));
    } else if (node[0] === 'Sparse' && Array.isArray(shell)) {
      for (let i = 2; i + 1 < node.length; i += 2) {
        const index = numeric(node[i]);
        if (!isIndex(index, shell.length))
          throw new CodecError('PAYLOAD_INVALID', 'index out of range');
        shell[index] = this.#resolve(node[i + 1]);
      }
    }
  }

  #resolve(slot: Slot): unknown {
    if (!Array.isArray(slot)) return slot;
    if (slot.length === 1) {
      const index = numeric(slot[0]);
      if (!isIndex(index, this.#shells.length))
        throw new CodecError('PAYLOAD_INVALID', 'reference to nothing');
      return this.#shells[index];
    }
    const [kind, data] = slot as [unknown, unknown];
    if (kind === '-0') return -0;
    if (kind === 'bigint' && typeof data === 'string') return bigintOf(data);
    if (kind === 'utf16' && Array.isArray(data)) {
      return data.map((unit) => String.fromCharCode(numeric(unit))).join('');
    }
    throw new CodecError('PAYLOAD_INVALID', 'unknown primitive');
  }

  #sparse(data: readonly unknown[]): unknown[] {
    const length = numeric(data[0]);
    if (!Number.isInteger(length) || length < 0 || length > SPARSE_LENGTH_MAX) {
      throw new CodecError('PAYLOAD_INVALID', 'array length out of range');
    }
    return holes(length);
  }

  #error(wire: unknown): Error {
    if (!isWireError(wire)) throw new CodecError('PAYLOAD_INVALID', 'not an error');
    return fromWireError(wire);
  }

  #attached(index: unknown): ArrayBufferLike {
    const attachment = this.#attachments[numeric(index)];
    if (!(attachment instanceof ArrayBuffer) && !(attachment instanceof SharedArrayBuffer)) {
      throw new CodecError('PAYLOAD_INVALID', 'an attachment is missing');
    }
    return attachment;
  }

  #view([name, source, byteOffset, byteLength]: readonly unknown[]): unknown {
    if (typeof name !== 'string' || !isViewName(name)) {
      throw new CodecError('PAYLOAD_INVALID', 'unknown view');
    }
    const buffer = Array.isArray(source) ? this.#attached(source[1]) : ownBuffer(source);
    const View = VIEWS[name] as ViewConstructor;
    const bytesEach = View.BYTES_PER_ELEMENT ?? 1;
    const length = numeric(byteLength) / bytesEach;
    return new View(buffer, numeric(byteOffset), length);
  }
}

/** An array of holes that takes no room: one far item makes the engine keep items by key. */
function holes(length: number): unknown[] {
  const array: unknown[] = [];
  if (length > 0) {
    array[length - 1] = undefined;
    Reflect.deleteProperty(array, length - 1);
  }
  return array;
}

/** A DataView counts in bytes. */
interface ViewConstructor {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayBufferView;
  readonly BYTES_PER_ELEMENT?: number;
}

function ownBuffer(bytes: unknown): ArrayBuffer {
  if (!(bytes instanceof Uint8Array)) throw new CodecError('PAYLOAD_INVALID', 'bytes are missing');
  return bytes.buffer.byteLength === bytes.byteLength && bytes.buffer instanceof ArrayBuffer
    ? bytes.buffer
    : new Uint8Array(bytes).buffer;
}

function bigintOf(hex: string): bigint {
  return hex.startsWith('-') ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`);
}

function isIndex(index: number, length: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < length;
}

function numeric(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

function isTable(value: unknown): value is RichTable {
  return (
    typeof value === 'object' &&
    value !== null &&
    'root' in value &&
    Array.isArray((value as RichTable).nodes) &&
    (value as RichTable).nodes.every((node) => Array.isArray(node) && typeof node[0] === 'string')
  );
}
