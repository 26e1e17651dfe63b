/**
 * What all scripts of a program have in common: their engine, compiled when the first of them
 * starts, and a place for the image of a fresh VM, which its thread leaves to the others.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { IsolationKind } from '../protocol/manifest.ts';
import { createImageCell, type ScriptEngine } from '../protocol/script-boot.ts';

let engine: Promise<ScriptEngine> | undefined;

/** `undefined` for a process, which shares no memory, and where there is none: its thread says why. */
export async function scriptEngine(isolation: IsolationKind): Promise<ScriptEngine | undefined> {
  if (isolation === 'process') return undefined;
  engine ??= compiled();
  try {
    return await engine;
  } catch {
    engine = undefined;
    return undefined;
  }
}

async function compiled(): Promise<ScriptEngine> {
  const file = createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm');
  const code = await WebAssembly.compile(new Uint8Array(await readFile(file)));
  return { code, image: createImageCell() };
}
