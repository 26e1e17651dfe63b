/**
 * What plain MessagePack cannot say: cycles, shared references, Map, Set, Date, RegExp, typed
 * arrays, errors, big integers, holes. A rich value travels as a flat table of nodes, one for
 * each object, that refer to each other by index; every node is plain MessagePack. So no decoder
 * extension is ever needed, and nothing executable is built from bytes.
 *
 * A slot is a primitive, `[index]` for a node, or `[kind, data]` for a primitive that
 * MessagePack would change.
 */
import { CodecError } from './codec-error.ts';
import { isPlainString } from './plain.ts';
import { fromWireError, isWireError, toWireError } from './wire-error.ts';

export interface RichTable {
  nodes: Node[];
  root: Slot;
}

type Slot = unknown;
type Node = [kind: string, ...data: unknown[]];
/** What travels beside the bytes: moved buffers and shared memory. */
export type Attachment = ArrayBuffer | SharedArrayBuffer;

const VIEWS = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
};
type ViewName = keyof typeof VIEWS;
/** A DataView counts in bytes. */
interface ViewConstructor {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayBufferView;
  readonly BYTES_PER_ELEMENT?: number;
}

export function lower(value: unknown, depthMax: number, attachments: Attachment[]): RichTable {
  const lowering = new Lowering(depthMax, attachments);
  const root = lowering.slot(value, 0);
  return { nodes: lowering.nodes, root };
}

export function raise(table: unknown, attachments: readonly unknown[]): unknown {
  if (!isTable(table)) throw new CodecError('PAYLOAD_INVALID', 'not a table of nodes');
  return new Raising(table, attachments).value();
}

class Lowering {
  readonly nodes: Node[] = [];
  readonly #indexes = new Map<object, number>();
  readonly #depthMax: number;
  readonly #attachments: Attachment[];

  constructor(depthMax: number, attachments: Attachment[]) {
    this.#depthMax = depthMax;
    this.#attachments = attachments;
  }

  slot(value: unknown, depth: number): Slot {
    switch (typeof value) {
      case 'string':
        return isPlainString(value) ? value : ['utf16', Array.from(value, codeUnits).flat()];
      case 'number':
        return value === 0 && 1 / value < 0 ? ['-0', 0] : value;
      case 'bigint':
        return BigInt.asIntN(64, value) === value ? value : ['bigint', value.toString()];
      case 'function':
      case 'symbol':
        throw new CodecError('PAYLOAD_INVALID', `a ${typeof value} cannot be sent`);
      case 'object':
        return value === null ? null : [this.#node(value, depth)];
      default:
        return value;
    }
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
    if (value instanceof Map) {
      return ['Map', ...[...value].flatMap(([k, v]) => [this.slot(k, depth), this.slot(v, depth)])];
    }
    if (value instanceof Set) return ['Set', ...[...value].map((item) => this.slot(item, depth))];
    if (value instanceof Date) return ['Date', value.getTime()];
    if (value instanceof RegExp) return ['RegExp', value.source, value.flags];
    if (value instanceof Error) return ['Error', toWireError(value)];
    if (ArrayBuffer.isView(value)) return this.#view(value);
    if (value instanceof ArrayBuffer) {
      const moved = this.#attachments.indexOf(value);
      return moved >= 0 ? ['Attached', moved] : ['ArrayBuffer', new Uint8Array(value)];
    }
    if (value instanceof SharedArrayBuffer) return ['Attached', this.#attach(value)];
    if (value instanceof Number || value instanceof String || value instanceof Boolean) {
      return ['Boxed', this.slot(value.valueOf(), depth)];
    }
    refuseUnsendable(value);
    const entries = Object.keys(value).flatMap((key) => [
      this.slot(key, depth),
      this.slot((value as Record<string, unknown>)[key], depth),
    ]);
    return ['Object', ...entries];
  }

  #array(value: readonly unknown[], depth: number): Node {
    const entries: unknown[] = [];
    // forEach passes over holes, and the length tells them at the other side
    value.forEach((item, index) => entries.push(index, this.slot(item, depth)));
    const dense = entries.length === value.length * 2;
    return dense
      ? ['Array', ...entries.filter((_, i) => i % 2 === 1)]
      : ['Sparse', value.length, ...entries];
  }

  #view(view: ArrayBufferView): Node {
    const name = viewName(view);
    const { buffer, byteOffset, byteLength } = view;
    const moved = this.#attachments.indexOf(buffer as Attachment);
    if (moved >= 0 || buffer instanceof SharedArrayBuffer) {
      const attached = moved >= 0 ? moved : this.#attach(buffer as Attachment);
      return ['View', name, ['Attached', attached], byteOffset, byteLength];
    }
    return ['View', name, new Uint8Array(buffer, byteOffset, byteLength), 0, byteLength];
  }

  #attach(buffer: Attachment): number {
    const index = this.#attachments.indexOf(buffer);
    return index >= 0 ? index : this.#attachments.push(buffer) - 1;
  }
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
        if (!(index < shell.length)) throw new CodecError('PAYLOAD_INVALID', 'index out of range');
        shell[index] = this.#resolve(node[i + 1]);
      }
    }
  }

  #resolve(slot: Slot): unknown {
    if (!Array.isArray(slot)) return slot;
    if (slot.length === 1) {
      const index = numeric(slot[0]);
      if (!(index in this.#shells)) throw new CodecError('PAYLOAD_INVALID', 'reference to nothing');
      return this.#shells[index];
    }
    const [kind, data] = slot as [unknown, unknown];
    if (kind === '-0') return -0;
    if (kind === 'bigint' && typeof data === 'string') return BigInt(data);
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
    const shell: unknown[] = [];
    shell.length = length;
    return shell;
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

/** A hole costs no bytes, so the length of a sparse array is bounded by itself. */
const SPARSE_LENGTH_MAX = 2 ** 24;

function refuseUnsendable(value: object): void {
  for (const Kind of [Promise, WeakMap, WeakSet, WeakRef]) {
    if (value instanceof Kind) {
      throw new CodecError('PAYLOAD_INVALID', `a ${Kind.name} cannot be sent`);
    }
  }
}

function viewName(view: ArrayBufferView): ViewName {
  const name = Object.prototype.toString.call(view).slice(8, -1);
  if (isViewName(name)) return name;
  throw new CodecError('PAYLOAD_INVALID', `a ${name} cannot be sent`);
}

function isViewName(name: string): name is ViewName {
  return Object.hasOwn(VIEWS, name);
}

function ownBuffer(bytes: unknown): ArrayBuffer {
  if (!(bytes instanceof Uint8Array)) throw new CodecError('PAYLOAD_INVALID', 'bytes are missing');
  return bytes.buffer.byteLength === bytes.byteLength && bytes.buffer instanceof ArrayBuffer
    ? bytes.buffer
    : (new Uint8Array(bytes).buffer as ArrayBuffer);
}

function codeUnits(character: string): number[] {
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
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
