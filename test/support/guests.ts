/** WebAssembly guests for tests: assembled from text, as entries that need no file. */
import { readFileSync } from 'node:fs';

import type { PluginHandle, PluginManager, PluginSpec, PluginStats } from 'troupe';
import wabt from 'wabt';

import { SHORT_LIMITS, type SpecOptions } from './manager.ts';

const assembler = await wabt();

/** The bytes of a module, with the names of its functions. */
export function assemble(text: string): Uint8Array<ArrayBuffer> {
  const module = assembler.parseWat('guest.wat', text, {
    multi_value: true,
    bulk_memory: true,
    exceptions: true,
    reference_types: true,
  });
  try {
    return new Uint8Array(module.toBinary({ write_debug_names: true }).buffer);
  } finally {
    module.destroy();
  }
}

export function entryOf(bytes: Uint8Array): URL {
  return new URL(`data:application/wasm;base64,${Buffer.from(bytes).toString('base64')}`);
}

/** A module's text as an entry. */
export function wat(text: string): URL {
  return entryOf(assemble(text));
}

/** The guest of `test/fixtures/guest.wat`. */
export const GUEST = wat(readFileSync(new URL('../fixtures/guest.wat', import.meta.url), 'utf8'));

export function guestSpec(entry: PluginSpec['entry'], options: SpecOptions = {}): PluginSpec {
  const { limits, ...rest } = options;
  return {
    id: 'guest',
    type: 'tool',
    host: 'wasm',
    entry,
    limits: { ...SHORT_LIMITS, ...limits },
    ...rest,
  };
}

export async function statsOf(plugin: PluginHandle): Promise<PluginStats> {
  const stats = await plugin.stats();
  if (stats) return stats;
  throw new Error('it has no stats');
}

/** Brings a guest to `running`. */
export async function runGuest<O = unknown>(
  manager: PluginManager,
  entry: PluginSpec['entry'] = GUEST,
  options: SpecOptions = {},
): Promise<PluginHandle<unknown, O>> {
  const { id } = await manager.register(guestSpec(entry, options));
  const handle = manager.plugin<unknown, O>(id);
  await handle.load();
  await handle.init();
  await handle.start();
  return handle;
}
