/** A value to a table of nodes: rich-table.ts says what that is. */
import { CodecError } from './codec-error.ts';
import { isPlainString } from './plain.ts';
import {
  isViewName,
  type Attachment,
  type Node,
  type RichTable,
  type Slot,
  type ViewName,
} from './rich-table.ts';
import { toWireError } from './wire-error.ts';

export function lower(value: unknown, depthMax: number, attachments: Attachment[]): RichTable {
  const lowering = new Lowering(depthMax, attachments);
  const root = lowering.slot(value, 0);
  return { nodes: lowering.nodes, root };
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
    const moved = this.#attachments.indexOf(buffer);
    if (moved >= 0 || buffer instanceof SharedArrayBuffer) {
      const attached = moved >= 0 ? moved : this.#attach(buffer);
      return ['View', name, ['Attached', attached], byteOffset, byteLength];
    }
    return ['View', name, new Uint8Array(buffer, byteOffset, byteLength), 0, byteLength];
  }

  #attach(buffer: Attachment): number {
    const index = this.#attachments.indexOf(buffer);
    return index >= 0 ? index : this.#attachments.push(buffer) - 1;
  }
}

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

function codeUnits(character: string): number[] {
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
}
