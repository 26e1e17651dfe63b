/** The JavaScript engine of scripts, QuickJS in WebAssembly: loaded where a script runs, and nowhere else. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

export interface Engine {
  quickjs: typeof import('quickjs-wasi');
  /** The engine's code: read when a VM is made, and not kept. */
  wasm: () => Promise<Uint8Array<ArrayBuffer>>;
}

export async function openEngine(): Promise<Engine> {
  const file = createRequire(import.meta.filename).resolve('quickjs-wasi/quickjs.wasm');
  return {
    quickjs: await import('quickjs-wasi'),
    wasm: async () => new Uint8Array(await readFile(file)),
  };
}
