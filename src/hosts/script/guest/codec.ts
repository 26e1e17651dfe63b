/**
 * Values as text, for the way into the VM of a script and out of it. The one function here runs on
 * both sides: in the thread as it is, and in the VM from its source text. So it uses nothing but
 * its arguments and what ECMAScript has.
 *
 * A value that JSON carries without loss is JSON. Any other is a table of nodes in JSON, with a
 * space before it; bytes travel beside the text, in one buffer.
 */

/** What differs between the two sides. */
export interface CodecSide {
  /** An error as plain data, and back. */
  lowerError(error: unknown): unknown;
  raiseError(wire: unknown): unknown;
  /** What is thrown for a value that can't be sent. */
  refuse(code: 'PAYLOAD_INVALID' | 'PAYLOAD_TOO_LARGE', message: string): never;
  /** Hands over the bytes that go with the text that is made. */
  give(bytes: Uint8Array): void;
  /** Takes those that came with the text that is read. */
  take(): Uint8Array;
  depthMax: number;
  charsMax: number;
}

export interface ValueCodec {
  encode: (value: unknown) => string;
  /** @throws SyntaxError, TypeError for a text that `encode` did not make. */
  decode: (text: string) => unknown;
}

export function valueCodec(side: CodecSide): ValueCodec {
  type Slot = unknown;
  const { parse, stringify } = JSON;
  const { keys, getPrototypeOf, defineProperty, prototype: plain } = Object;
  const toString: unknown = Reflect.get(plain, 'toString');
  const { isArray } = Array;
  const tagOf = (value: unknown): string => Reflect.apply(toString as () => string, value, []);
  const viewKind = /^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$|^DataView$/;
  const unsendable = /Iterator$|Generator$|^Promise$|^Weak|^FinalizationRegistry$|^Intl\./;
  const sparseLengthMax = 2 ** 24;
  const views: Record<string, new (buffer: ArrayBuffer) => ArrayBufferView> = {
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

  /** Whether JSON carries it without loss: each object met once, no holes, nothing undefined. */
  function isJson(value: unknown, depth: number, seen: Set<unknown>): boolean {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return true;
      case 'number':
        return value - value === 0 && (value !== 0 || 1 / value > 0);
      case 'object':
        break;
      default:
        return false;
    }
    if (value === null) return true;
    if (depth === 0 || seen.has(value)) return false;
    seen.add(value);
    if (isArray(value)) {
      for (let i = 0; i < value.length; i++) {
        if (!isJson(value[i], depth - 1, seen)) return false;
      }
      return true;
    }
    const prototype: unknown = getPrototypeOf(value);
    if (prototype !== plain && prototype !== null) return false;
    const record = value as Record<string, unknown>;
    for (const key of keys(record)) if (!isJson(record[key], depth - 1, seen)) return false;
    return true;
  }

  function lower(root: unknown): { nodes: unknown[][]; root: Slot; chunks: Uint8Array[] } {
    const nodes: unknown[][] = [];
    const indexes = new Map<unknown, number>();
    const chunks: Uint8Array[] = [];
    let offset = 0;

    const bytesOf = (bytes: Uint8Array): [number, number] => {
      const at = offset;
      chunks.push(bytes);
      offset += bytes.byteLength;
      return [at, bytes.byteLength];
    };
    const slot = (value: unknown, depth: number): Slot => {
      switch (typeof value) {
        case 'string':
        case 'boolean':
          return value;
        case 'number':
          if (value - value === 0 && (value !== 0 || 1 / value > 0)) return value;
          return ['n', value === 0 ? '-0' : String(value)];
        case 'undefined':
          return ['u'];
        case 'bigint':
          return ['i', value < 0n ? `-${(-value).toString(16)}` : value.toString(16)];
        case 'object':
          return value === null ? null : [indexOf(value, depth)];
        default:
          return side.refuse('PAYLOAD_INVALID', `a ${typeof value} cannot be sent`);
      }
    };
    const indexOf = (value: object, depth: number): number => {
      const known = indexes.get(value);
      if (known !== undefined) return known;
      if (depth >= side.depthMax) {
        side.refuse('PAYLOAD_TOO_LARGE', `nested deeper than ${String(side.depthMax)}`);
      }
      const index = nodes.length;
      indexes.set(value, index);
      nodes.push([]);
      nodes[index] = nodeOf(value, depth + 1);
      return index;
    };
    const nodeOf = (value: object, depth: number): unknown[] => {
      if (isArray(value)) return arrayNode(value, depth);
      const kind = value instanceof Error ? 'Error' : tagOf(value).slice(8, -1);
      switch (kind) {
        case 'Map': {
          const node: unknown[] = ['M'];
          for (const [key, item] of value as Map<unknown, unknown>) {
            node.push(slot(key, depth), slot(item, depth));
          }
          return node;
        }
        case 'Set': {
          const node: unknown[] = ['S'];
          for (const item of value as Set<unknown>) node.push(slot(item, depth));
          return node;
        }
        case 'Date':
          return ['D', slot((value as Date).getTime(), depth)];
        case 'RegExp':
          return ['R', (value as RegExp).source, (value as RegExp).flags];
        case 'Error': {
          const inner = lower(side.lowerError(value));
          return ['E', { nodes: inner.nodes, root: inner.root }];
        }
        case 'ArrayBuffer':
          return ['B', ...bytesOf(new Uint8Array(value as ArrayBuffer))];
        case 'Number':
        case 'String':
        case 'Boolean':
        case 'BigInt':
          return ['X', slot(value.valueOf(), depth)];
      }
      if (ArrayBuffer.isView(value)) {
        if (!(kind in views)) side.refuse('PAYLOAD_INVALID', `a ${kind} cannot be sent`);
        const { buffer, byteOffset, byteLength } = value;
        return ['V', kind, ...bytesOf(new Uint8Array(buffer, byteOffset, byteLength))];
      }
      if (unsendable.test(kind) || kind === 'SharedArrayBuffer') {
        side.refuse('PAYLOAD_INVALID', `a ${kind} cannot be sent`);
      }
      const record = value as Record<string, unknown>;
      const node: unknown[] = ['O'];
      for (const key of keys(record)) node.push(key, slot(record[key], depth));
      return node;
    };
    const arrayNode = (value: readonly unknown[], depth: number): unknown[] => {
      const node: unknown[] = ['A'];
      for (let i = 0; i < value.length; i++) {
        if (!(i in value)) return sparseNode(value, depth);
        node.push(slot(value[i], depth));
      }
      return node;
    };
    const sparseNode = (value: readonly unknown[], depth: number): unknown[] => {
      if (value.length > sparseLengthMax) {
        side.refuse('PAYLOAD_TOO_LARGE', `a sparse array of ${String(value.length)} items`);
      }
      const node: unknown[] = ['H', value.length];
      for (const key of keys(value)) {
        const index = Number(key);
        if (String(index) === key && index < value.length) {
          node.push(index, slot(value[index], depth));
        }
      }
      return node;
    };
    return { root: slot(root, 0), nodes, chunks };
  }

  function raise(table: unknown, bytes: () => Uint8Array): unknown {
    const { nodes, root } = table as { nodes: unknown[][]; root: Slot };
    const bytesAt = (at: unknown, length: unknown): ArrayBuffer =>
      bytes().slice(Number(at), Number(at) + Number(length)).buffer;
    const shellOf = (node: unknown[]): unknown => {
      switch (node[0]) {
        case 'O':
          return {};
        case 'A':
          return [];
        case 'H': {
          const length = Number(node[1]);
          if (!(length >= 0 && length <= sparseLengthMax)) throw new TypeError('array length');
          const holes: unknown[] = [];
          holes.length = length;
          return holes;
        }
        case 'M':
          return new Map();
        case 'S':
          return new Set();
        case 'D':
          return new Date(Number(primitive(node[1])));
        case 'R':
          return new RegExp(String(node[1]), String(node[2]));
        case 'E':
          return side.raiseError(raise(node[1], bytes));
        case 'B':
          return bytesAt(node[1], node[2]);
        case 'V': {
          const View = viewKind.test(String(node[1])) ? views[String(node[1])] : undefined;
          if (!View) throw new TypeError('unknown view');
          return new View(bytesAt(node[2], node[3]));
        }
        case 'X':
          return Object(primitive(node[1]));
        default:
          throw new TypeError('unknown node');
      }
    };
    const primitive = (slot: Slot): unknown => {
      if (!isArray(slot)) return slot;
      const [kind, text] = slot as [unknown, unknown];
      if (kind === 'u') return undefined;
      if (kind === 'n') return Number(text);
      if (kind !== 'i') throw new TypeError('unknown primitive');
      const hex = String(text);
      return hex[0] === '-' ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`);
    };
    const shells = nodes.map(shellOf);
    const resolve = (slot: Slot): unknown => {
      if (!isArray(slot) || typeof slot[0] !== 'number') return primitive(slot);
      if (!(slot[0] in shells)) throw new TypeError('reference to nothing');
      return shells[slot[0]];
    };
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as unknown[];
      const shell = shells[i];
      switch (node[0]) {
        case 'O':
          for (let at = 1; at + 1 < node.length; at += 2) {
            // defined, never assigned: `__proto__` is a key like any other
            defineProperty(shell as object, String(node[at]), {
              value: resolve(node[at + 1]),
              configurable: true,
              enumerable: true,
              writable: true,
            });
          }
          break;
        case 'A':
          for (let at = 1; at < node.length; at++) (shell as unknown[]).push(resolve(node[at]));
          break;
        case 'H':
          for (let at = 2; at + 1 < node.length; at += 2) {
            const index = Number(node[at]);
            if (!(index >= 0 && index < (shell as unknown[]).length)) {
              throw new TypeError('index out of range');
            }
            (shell as unknown[])[index] = resolve(node[at + 1]);
          }
          break;
        case 'M':
          for (let at = 1; at + 1 < node.length; at += 2) {
            (shell as Map<unknown, unknown>).set(resolve(node[at]), resolve(node[at + 1]));
          }
          break;
        case 'S':
          for (let at = 1; at < node.length; at++) (shell as Set<unknown>).add(resolve(node[at]));
      }
    }
    return resolve(root);
  }

  function bounded(text: string): string {
    if (text.length > side.charsMax) {
      side.refuse(
        'PAYLOAD_TOO_LARGE',
        `${String(text.length)} characters, more than limits.payloadBytesMax (${String(side.charsMax)})`,
      );
    }
    return text;
  }

  return {
    encode(value) {
      if (value === undefined) return '';
      if (isJson(value, side.depthMax, new Set())) return bounded(stringify(value));
      const { nodes, root, chunks } = lower(value);
      const total = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
      if (total > 0) {
        if (total > side.charsMax) {
          side.refuse('PAYLOAD_TOO_LARGE', `${String(total)} bytes of buffers`);
        }
        const all = new Uint8Array(total);
        let at = 0;
        for (const chunk of chunks) {
          all.set(chunk, at);
          at += chunk.byteLength;
        }
        side.give(all);
      }
      return bounded(` ${stringify({ nodes, root })}`);
    },
    decode(text) {
      if (text === '') return undefined;
      const value: unknown = parse(text);
      if (text[0] !== ' ') return value;
      let bytes: Uint8Array | undefined;
      return raise(value, () => (bytes ??= side.take()));
    },
  };
}
