/** WebAssembly plugins: what a spec says of one, and what its actor is told. */

export const WASM_OUTPUTS = ['auto', 'text', 'json', 'bytes'] as const;
/** What a call's output bytes become. `auto`: text where they are UTF-8, bytes where they are not. */
export type WasmOutput = (typeof WASM_OUTPUTS)[number];

/** A file: a path or URL, or that with the SHA-256 (hex) of the bytes that may run. */
export type WasmFile = string | URL | { path: string | URL; sha256?: string | undefined };

/** Of a plugin with `host: 'wasm'`. All optional. */
export interface WasmOptions {
  /** The export that `execute(input)` calls. Default `execute`, else `_start`. */
  function?: string | undefined;
  /** What a result is. Default `auto`. */
  output?: WasmOutput | undefined;
  /** Gives the guest WASI preview 1, and of the file system what `permissions.fs` names. Default false. */
  wasi?: boolean | undefined;
  /** Further modules, by the name that they are imported by. */
  modules?: Record<string, WasmFile> | undefined;
  /** An ES module (TypeScript or JavaScript) with host functions of your own. */
  hostFunctions?: string | URL | undefined;
  /**
   * Pages of 64 KiB that each memory of the guest may have, the one for values included. Default
   * 4,096 (256 MiB), or a third of `limits.memoryMb` where that is less.
   */
  memoryPagesMax?: number | undefined;
  /** What the guest's variables may hold, names included (bytes). Default 1 MiB. */
  variableBytesMax?: number | undefined;
  /** Largest body of an HTTP answer (bytes). Default 8 MiB. */
  httpBytesMax?: number | undefined;
  /** Longest HTTP request, until the whole answer is here (ms). Default 30,000. */
  httpTimeoutMs?: number | undefined;
}

/** The bounds among them. */
export const DEFAULT_WASM_LIMITS = {
  memoryPagesMax: 4_096,
  variableBytesMax: 1024 * 1024,
  httpBytesMax: 8 * 1024 * 1024,
  httpTimeoutMs: 30_000,
};

/** An address is 32 bits, and 0 means none. */
export const WASM_PAGES_MAX = 65_535;
export const WASM_PAGE_BYTES = 64 * 1024;

/** A larger file is no plugin (bytes). */
export const WASM_FILE_BYTES_MAX = 128 * 1024 * 1024;

/** Compiled modules are kept until their files have more bytes than this together. */
export const WASM_CACHE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * A host that a guest may send HTTP requests to: `api.example.com`, `*.example.com` for all below
 * it, `*` for all; with a port where it is another than 80 or 443. As an object, also one whose
 * address is private: this machine, the local network, a cloud's metadata.
 */
export type HttpHost = string | { host: string; private?: boolean | undefined };

/** One that a spec names, read. */
export interface HttpRule {
  /** In small letters; `*.` at the front for all below, `*` alone for all. */
  host: string;
  port: number | undefined;
  private: boolean;
}

export interface WasmModuleFile {
  /** That it is imported by. */
  name: string;
  url: URL;
  sha256: string | undefined;
}

/** {@link WasmOptions} with every default filled in and every file resolved. */
export interface WasmPlan {
  function: string | undefined;
  output: WasmOutput;
  wasi: boolean;
  modules: WasmModuleFile[];
  hostFunctions: URL | undefined;
  /** Folders that WASI opens for reading and writing, absolute. */
  folders: string[];
  http: HttpRule[];
  memoryPagesMax: number;
  variableBytesMax: number;
  httpBytesMax: number;
  httpTimeoutMs: number;
}

export const MAIN_MODULE = 'main';

/** What a guest asks the kernel to fetch. */
export interface HttpRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: Uint8Array | undefined;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}
