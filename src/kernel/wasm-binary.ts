/**
 * Reads of a WebAssembly module's binary what the runtime must know before it compiles it, and
 * writes the limits of its memories and tables into it: what a module defines has no other.
 */
import type { WasmMemoryImport, WasmSignature } from '../protocol/wasm-boot.ts';
import { WasmFormatError, WasmReader } from './wasm-reader.ts';

export interface InspectedModule {
  /** With the limits in it. */
  bytes: Uint8Array;
  signatures: Record<string, WasmSignature>;
  memoryImports: WasmMemoryImport[];
}

const SECTION = { types: 1, imports: 2, functions: 3, tables: 4, memories: 5, exports: 7 } as const;
const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;
/** What V8 takes: a list that is longer need not be read. */
const ENTRIES_MAX = {
  types: 1_000_000,
  functions: 1_000_000,
  others: 100_000,
  values: 1_000,
} as const;
const PREAMBLE_BYTES = 8;
const LIMIT = { max: 1, shared: 2, wide: 4, pageSize: 8 } as const;

/** @throws WasmFormatError that says what is wrong, as the rest of "… is no module: ". */
export function inspectModule(bytes: Uint8Array, pagesMax: number): InspectedModule {
  refuseForeign(bytes);
  const reader = new WasmReader(bytes, PREAMBLE_BYTES);
  const parts: Uint8Array[] = [bytes.subarray(0, PREAMBLE_BYTES)];
  const found: Found = { types: [], functions: [], exports: [], memoryImports: [], memories: 0 };
  while (!reader.isAtEnd) {
    const start = reader.at;
    const id = reader.byte();
    const content = reader.section(reader.u32());
    const patched = readSection(id, content, found, pagesMax);
    if (patched === undefined) parts.push(bytes.subarray(start, reader.at));
    else parts.push(Uint8Array.of(id), lengthOf(patched), patched);
  }
  if (found.memories > 1) {
    throw new WasmFormatError('it has more than one memory, and the limit is one for all');
  }
  const { memoryImports } = found;
  return { bytes: Buffer.concat(parts), signatures: signaturesOf(found), memoryImports };
}

interface Found {
  types: (WasmSignature | undefined)[];
  /** The type of each function, imported ones first. */
  functions: number[];
  exports: { name: string; at: number }[];
  memoryImports: WasmMemoryImport[];
  memories: number;
}

/** Something else than a module, told apart where people confuse them. */
function refuseForeign(bytes: Uint8Array): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 8));
  if (!text.subarray(0, 4).equals(MAGIC)) {
    const isText = /^\s*(\(|;;)/.test(text.toString('latin1'));
    throw new WasmFormatError(
      isText
        ? 'it is WebAssembly text; assemble it first, for example with wat2wasm'
        : 'it does not begin as WebAssembly does',
    );
  }
  if (bytes.byteLength < PREAMBLE_BYTES) throw new WasmFormatError('it is cut off');
  const version = text.readUInt32LE(4);
  if (version === 1) return;
  throw new WasmFormatError(
    version >>> 16 === 1
      ? 'it is a component; build a core module (for example for wasm32-wasip1)'
      : `version ${String(version)} of the format is unknown`,
  );
}

const MAGIC = Buffer.from('\0asm', 'latin1');

/** The section's new content, where that must be another. */
function readSection(
  id: number,
  content: WasmReader,
  found: Found,
  pagesMax: number,
): Uint8Array | undefined {
  switch (id) {
    case SECTION.types:
      found.types = readTypes(content);
      return undefined;
    case SECTION.imports:
      return readImports(content, found, pagesMax);
    case SECTION.functions:
      found.functions = found.functions.concat(
        content.list(() => content.u32(), ENTRIES_MAX.functions),
      );
      return undefined;
    case SECTION.tables:
      return readTables(content);
    case SECTION.memories: {
      const memories = content.list(() => readMemory(content, pagesMax), ENTRIES_MAX.others);
      found.memories += memories.length;
      return Buffer.concat([leb(memories.length), ...memories.map(({ bytes }) => bytes)]);
    }
    case SECTION.exports:
      content.list(() => {
        const name = content.name();
        const kind = content.byte();
        const at = content.u32();
        if (kind === KIND.function) found.exports.push({ name, at });
      }, ENTRIES_MAX.others);
      return undefined;
    default:
      return undefined;
  }
}

/** Types of later proposals end the reading: what follows is unknown, and nobody's arguments are checked. */
function readTypes(content: WasmReader): (WasmSignature | undefined)[] {
  const types: WasmSignature[] = [];
  const count = content.u32();
  if (count > ENTRIES_MAX.types) {
    throw new WasmFormatError(`it has ${String(count)} types, more than there may be`);
  }
  for (let left = count; left > 0; left--) {
    if (content.byte() !== 0x60) return [];
    const params = content.list(() => content.valueType(), ENTRIES_MAX.values).join('');
    const results = content.list(() => content.valueType(), ENTRIES_MAX.values).join('');
    types.push({ params, results });
  }
  return types;
}

function readImports(content: WasmReader, found: Found, pagesMax: number): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let unchangedFrom = 0;
  content.list(() => {
    const module = content.name();
    const name = content.name();
    const kind = content.byte();
    if (kind === KIND.function) found.functions.push(content.u32());
    else if (kind === KIND.table) {
      content.valueType();
      readLimits(content);
    } else if (kind === KIND.global) {
      content.valueType();
      content.byte();
    } else if (kind === KIND.tag) {
      content.byte();
      content.u32();
    } else if (kind === KIND.memory) {
      parts.push(content.between(unchangedFrom, content.at));
      const { bytes, ...memory } = readMemory(content, pagesMax);
      parts.push(bytes);
      unchangedFrom = content.at;
      found.memoryImports.push({ module, name, ...memory });
      found.memories++;
    } else throw new WasmFormatError(`it imports something of the unknown kind ${String(kind)}`);
  }, ENTRIES_MAX.others);
  if (parts.length === 0) return undefined;
  return Buffer.concat([...parts, content.between(unchangedFrom, content.at)]);
}

interface Limits {
  flags: number;
  min: number;
  max: number | undefined;
}

function readLimits(content: WasmReader): Limits {
  const flags = content.byte();
  const min = (flags & LIMIT.wide) === 0 ? content.u32() : content.u64();
  const readMax = (): number => ((flags & LIMIT.wide) === 0 ? content.u32() : content.u64());
  return { flags, min, max: (flags & LIMIT.max) === 0 ? undefined : readMax() };
}

/**
 * Elements of all its tables together, at first and grown: they lie on V8's heap, and what outgrows
 * that ends the process.
 */
const TABLE_ELEMENTS_MAX = 1_000_000;
const WITH_INITIALIZER = 0x40;

/** An imported table is bounded where it is defined. */
function readTables(content: WasmReader): Uint8Array {
  const tables = content.list(() => {
    const start = content.at;
    if (content.peek() === WITH_INITIALIZER) {
      throw new WasmFormatError('it has a table with an initializer, which cannot be bounded');
    }
    content.valueType();
    const type = content.between(start, content.at);
    return { type, ...readLimits(content) };
  }, ENTRIES_MAX.others);
  const elements = tables.reduce((sum, { min }) => sum + min, 0);
  if (elements > TABLE_ELEMENTS_MAX) {
    throw new WasmFormatError(
      `its tables begin with ${String(elements)} elements, and ${String(TABLE_ELEMENTS_MAX)} are the most`,
    );
  }
  const spare = Math.floor((TABLE_ELEMENTS_MAX - elements) / tables.length);
  const patched = tables.flatMap(({ type, flags, min, max = Number.POSITIVE_INFINITY }) => [
    type,
    Uint8Array.of(flags | LIMIT.max),
    leb(min),
    leb(Math.min(max, min + spare)),
  ]);
  return Buffer.concat([leb(tables.length), ...patched]);
}

type PatchedMemory = Pick<WasmMemoryImport, 'pages' | 'pagesMax' | 'shared'> & {
  bytes: Uint8Array;
};

function readMemory(content: WasmReader, limit: number): PatchedMemory {
  const { flags, min, max = Number.POSITIVE_INFINITY } = readLimits(content);
  if ((flags & LIMIT.pageSize) !== 0) {
    throw new WasmFormatError('its memory has pages of another size than 64 KiB');
  }
  if (min > limit) {
    throw new WasmFormatError(
      `its memory begins with ${String(min)} pages, more than wasm.memoryPagesMax (${String(limit)})`,
    );
  }
  const pagesMax = Math.min(max, limit);
  const bytes = Buffer.concat([Uint8Array.of(flags | LIMIT.max), leb(min), leb(pagesMax)]);
  return { bytes, pages: min, pagesMax, shared: (flags & LIMIT.shared) !== 0 };
}

function signaturesOf({ types, functions, exports }: Found): Record<string, WasmSignature> {
  return Object.fromEntries(
    exports.flatMap(({ name, at }) => {
      const type = types[functions[at] ?? -1];
      return type ? [[name, type]] : [];
    }),
  );
}

function lengthOf({ byteLength }: Uint8Array): Uint8Array {
  return leb(byteLength);
}

/** Unsigned LEB128. */
function leb(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}
