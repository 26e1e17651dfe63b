/** A table of nodes back to the value it stands for: see codec.ts. It checks what it reads. */
import type { CodecSide } from './codec.ts';

export type Raise = (table: unknown, bytes: () => Uint8Array) => unknown;

export function raising(side: CodecSide): Raise {
  type Slot = unknown;
  const { defineProperty, hasOwn } = Object;
  const { isArray } = Array;

  return function raise(table, bytes) {
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
          if (!(length >= 0 && length <= side.sparseLengthMax)) throw new TypeError('array length');
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
          const name = String(node[1]);
          const View = hasOwn(side.views, name) ? side.views[name] : undefined;
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
  };
}
