/** Memory plugins for a test, with the plugins they use as fixtures. */
import path from 'node:path';

import type { PluginHandle, PluginManager } from 'troupe';
import { memoryPlugin, type MemoryMethods, type MemoryOptions } from 'troupe/plugins';

import { temporaryFolder } from './files.ts';
import { EAGER_RESTART, fixture, specOf } from './manager.ts';

export type Memory = Omit<PluginHandle, keyof MemoryMethods> & MemoryMethods;

export const VECTORS = fixture('memory-vectors.mjs');

export async function runMemory(
  manager: PluginManager,
  options: MemoryOptions = {},
): Promise<Memory> {
  const memory = await manager.register(
    memoryPlugin('memory', { restart: EAGER_RESTART, ...options }),
  );
  await manager.up();
  return memory;
}

/** A storage that keeps what it has in a file, and does what its fixture is told. */
export async function registerStore(manager: PluginManager): Promise<PluginHandle> {
  const file = path.join(await temporaryFolder(), 'store');
  return manager.register(
    specOf('memory-store.mjs', { id: 'store', type: 'storage', config: { file } }),
  );
}

export async function registerEmbedding(
  manager: PluginManager,
  config: Record<string, unknown> = {},
): Promise<PluginHandle> {
  const spec = specOf('memory-embedding.mjs', { id: 'embedding', type: 'llm', config });
  return manager.register({ ...spec, concurrency: 8 });
}

/** How many texts each call to the embedding plugin had. */
export async function batchesOf(embedding: PluginHandle): Promise<readonly unknown[]> {
  const batches = (await embedding.stats())?.plugin['batches'];
  return Array.isArray(batches) ? (batches as unknown[]) : [];
}

/** Texts of hits, best first. */
export function textsOf(found: { hits: readonly { text: string }[] }): string[] {
  return found.hits.map(({ text }) => text);
}
