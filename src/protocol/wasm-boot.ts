/** What the actor of a WebAssembly plugin is told. */
import type { WasmOutput } from './wasm.ts';

/** Value types by letter: `i` i32, `I` i64, `f` f32, `F` f64, `?` anything else. */
export interface WasmSignature {
  params: string;
  results: string;
}

export interface WasmMemoryImport {
  module: string;
  name: string;
  pages: number;
  pagesMax: number;
  shared: boolean;
}

/** A module as an actor gets it. */
export interface WasmModule {
  name: string;
  /** Compiled where it can be posted; else its bytes, patched as the compiled one is. */
  code: WebAssembly.Module | Uint8Array;
  /** Of the functions it exports, as far as they could be read. */
  signatures: Record<string, WasmSignature>;
  memoryImports: WasmMemoryImport[];
}

/** What the actor of a WebAssembly plugin is told. The plugin's own module is the first. */
export interface WasmBoot {
  modules: WasmModule[];
  hostFunctionsUrl: string | undefined;
  function: string | undefined;
  output: WasmOutput;
  wasi: boolean;
  folders: string[];
  memoryPagesMax: number;
  variableBytesMax: number;
}
