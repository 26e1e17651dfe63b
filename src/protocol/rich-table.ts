/**
 * What plain MessagePack cannot say: cycles, shared references, Map, Set, Date, RegExp, typed
 * arrays, errors, big integers, holes. A rich value travels as a flat table of nodes, one for
 * each object, that refer to each other by index; every node is plain MessagePack. So no decoder
 * extension is ever needed, and nothing executable is built from bytes.
 *
 * A slot is a primitive, `[index]` for a node, or `[kind, data]` for a primitive that
 * MessagePack would change.
 */
export interface RichTable {
  nodes: Node[];
  root: Slot;
}

export type Slot = unknown;
export type Node = [kind: string, ...data: unknown[]];
/** What travels beside the bytes: moved buffers and shared memory. */
export type Attachment = ArrayBuffer | SharedArrayBuffer;

/** A hole costs no bytes, so the length of a sparse array is bounded by itself. */
export const SPARSE_LENGTH_MAX = 2 ** 24;

/** Tags of what a copy would be no use of: handles, things in progress, things bound to their realm. */
export const UNSENDABLE =
  /Iterator$|Generator$|^Promise$|^Weak|^FinalizationRegistry$|^MessagePort$|^Intl\./;

export const VIEWS = {
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
export type ViewName = keyof typeof VIEWS;

export function isViewName(name: string): name is ViewName {
  return Object.hasOwn(VIEWS, name);
}
