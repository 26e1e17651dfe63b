/** The engine of scripts, QuickJS in WebAssembly: compiled already, but in a process of its own. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { ScriptEngine } from '../../protocol/script-boot.ts';

export async function openEngine(shared: ScriptEngine | undefined): Promise<WebAssembly.Module> {
  if (shared) return shared.code;
  const file = createRequire(import.meta.filename).resolve('quickjs-wasi/quickjs.wasm');
  return WebAssembly.compile(new Uint8Array(readFileSync(file)));
}
