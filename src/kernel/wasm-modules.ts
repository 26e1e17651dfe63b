/**
 * Gets the modules of a WebAssembly plugin ready: read, checked against their hashes, the memory
 * limit written into them, compiled. Compiling leaves the main thread alone, and happens once for
 * the same bytes: a thread is given the compiled module, so a restart compiles nothing.
 */
import { createHash, webcrypto } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import type { WasmModule } from '../protocol/wasm-boot.ts';
import {
  MAIN_MODULE,
  WASM_CACHE_BYTES_MAX,
  WASM_FILE_BYTES_MAX,
  type WasmModuleFile,
} from '../protocol/wasm.ts';
import { inspectModule } from './wasm-binary.ts';
import { WasmFormatError } from './wasm-reader.ts';

type Ready = Omit<WasmModule, 'name'> & { bytes: Uint8Array };

const cache = new Map<string, Promise<Ready>>();
/** Of the modules in the cache. */
const sizes = new Map<string, number>();

/** What is wrong with a file, as the rest of "<plugin> could not be loaded: ". */
export class WasmFileError extends Error {}

export interface WasmRequest {
  file: WasmModuleFile;
  memoryPagesMax: number;
  /** As a message may name the file. */
  shown: string;
  /** For an actor that no compiled module can be posted to. */
  asBytes: boolean;
}

/** @throws WasmFileError. */
export async function readyModule(request: WasmRequest): Promise<WasmModule> {
  const { file, memoryPagesMax, shown, asBytes } = request;
  const source = await sourceOf(file.url, shown);
  const hash = await hashOf(source);
  if (file.sha256 !== undefined && file.sha256 !== hash) {
    throw new WasmFileError(`${shown} is not the one its sha256 allows`);
  }
  const key = `${hash} ${String(memoryPagesMax)}`;
  const ready = cached(key) ?? remember(key, source, memoryPagesMax);
  try {
    const { code, bytes, signatures, memoryImports } = await ready;
    return { name: file.name, code: asBytes ? bytes : code, signatures, memoryImports };
  } catch (cause) {
    forget(key);
    const what = cause instanceof Error ? cause.message : String(cause);
    const isOurs = cause instanceof WasmFormatError;
    throw new WasmFileError(`${shown} is no WebAssembly module that can run: ${what}`, {
      cause: isOurs ? undefined : cause,
    });
  }
}

/** For the plan of a plugin: its own module by this name, and those it links. */
export function mainFile(url: URL, sha256: string | undefined): WasmModuleFile {
  return { name: MAIN_MODULE, url, sha256 };
}

async function sourceOf(url: URL, shown: string): Promise<Uint8Array> {
  if (url.protocol === 'data:') return dataOf(url, shown);
  try {
    const file = fileURLToPath(url);
    const { size } = await stat(file);
    if (size <= WASM_FILE_BYTES_MAX) return await readFile(file);
  } catch (cause) {
    throw new WasmFileError(`${shown} cannot be read`, { cause });
  }
  throw new WasmFileError(`${shown} is larger than ${String(WASM_FILE_BYTES_MAX)} bytes`);
}

function dataOf(url: URL, shown: string): Uint8Array {
  const [, isBase64, data = ''] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url.href) ?? [];
  if (isBase64 === undefined) throw new WasmFileError(`${shown} is not in base64`);
  try {
    return Buffer.from(decodeURIComponent(data), 'base64');
  } catch (cause) {
    throw new WasmFileError(`${shown} is not in base64`, { cause });
  }
}

/** Where there is much to hash, another thread does it. */
async function hashOf(source: Uint8Array): Promise<string> {
  if (source.byteLength < HASHED_AT_ONCE_BYTES) {
    return createHash('sha256').update(source).digest('hex');
  }
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', source)).toString('hex');
}

const HASHED_AT_ONCE_BYTES = 256 * 1024;

function cached(key: string): Promise<Ready> | undefined {
  const ready = cache.get(key);
  if (!ready) return undefined;
  // the one used last is the last to go
  cache.delete(key);
  cache.set(key, ready);
  return ready;
}

function remember(key: string, source: Uint8Array, memoryPagesMax: number): Promise<Ready> {
  const ready = compile(source, memoryPagesMax);
  cache.set(key, ready);
  sizes.set(key, source.byteLength);
  let held = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  for (const oldest of cache.keys()) {
    if (held <= WASM_CACHE_BYTES_MAX || oldest === key) break;
    held -= sizes.get(oldest) ?? 0;
    forget(oldest);
  }
  return ready;
}

function forget(key: string): void {
  cache.delete(key);
  sizes.delete(key);
}

async function compile(source: Uint8Array, memoryPagesMax: number): Promise<Ready> {
  const { bytes, signatures, memoryImports } = inspectModule(source, memoryPagesMax);
  try {
    return { code: await WebAssembly.compile(bytes), bytes, signatures, memoryImports };
  } catch (error) {
    throw new Error(plainly(error), { cause: error });
  }
}

/** Without the name of the function that V8 was called by. */
function plainly(error: unknown): string {
  const { message } = error instanceof Error ? error : { message: String(error) };
  return message.replace(/^WebAssembly\.\w+\(\): /, '');
}
