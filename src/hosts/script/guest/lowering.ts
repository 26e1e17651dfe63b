/** A value as a table of nodes, one for each object, which refer to each other by index: see codec.ts. */
import type { CodecSide } from './codec.ts';

/** `chunks` are the bytes that its nodes name by place and length. */
export type Lower = (root: unknown) => { nodes: unknown[][]; root: unknown; chunks: Uint8Array[] };

export function lowering(side: CodecSide): Lower {
  type Slot = unknown;
  const { keys, hasOwn, prototype: plain } = Object;
  const { isArray } = Array;
  const toString: unknown = Reflect.get(plain, 'toString');
  const tagOf = (value: unknown): string => Reflect.apply(toString as () => string, value, []);

  return function lower(root) {
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
        if (!hasOwn(side.views, kind)) side.refuse('PAYLOAD_INVALID', `a ${kind} cannot be sent`);
        const { buffer, byteOffset, byteLength } = value;
        return ['V', kind, ...bytesOf(new Uint8Array(buffer, byteOffset, byteLength))];
      }
      if (side.unsendable.test(kind) || kind === 'SharedArrayBuffer') {
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
      if (value.length > side.sparseLengthMax) {
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
  };
}
