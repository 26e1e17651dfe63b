/**
 * Values as text, for the way into the VM of a script and out of it. This function and the two it
 * is made of (lowering.ts, raising.ts) run on both sides: in the thread as they are, and in the VM
 * from their source text. So they use nothing but their arguments and what ECMAScript has.
 *
 * A value that JSON carries without loss is JSON. Any other is a table of nodes in JSON, with a
 * space before it; bytes travel beside the text, in one buffer.
 */
import type { Lower } from './lowering.ts';
import type { Raise } from './raising.ts';

/** What differs between the two sides, and what the protocol says of values. */
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
  /** Of a sparse array: its holes take no room in a text. */
  sparseLengthMax: number;
  /** Tags of what a copy would be no use of. */
  unsendable: RegExp;
  views: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>>;
}

export interface CodecParts {
  lowering: (side: CodecSide) => Lower;
  raising: (side: CodecSide) => Raise;
}

export interface ValueCodec {
  encode: (value: unknown) => string;
  /** @throws SyntaxError, TypeError for a text that `encode` did not make. */
  decode: (text: string) => unknown;
}

export function valueCodec(side: CodecSide, parts: CodecParts): ValueCodec {
  const { parse, stringify } = JSON;
  const { keys, getPrototypeOf, prototype: plain } = Object;
  const { isArray } = Array;
  const lower = parts.lowering(side);
  const raise = parts.raising(side);

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
