/** A running storage plugin for one test, of each backend there is. */
import path from 'node:path';

import type { PluginManager } from 'troupe';
import { storagePlugin, type StorageOptions } from 'troupe/plugins';

import { temporaryFolder } from './files.ts';
import { createManager, fixture } from './manager.ts';

export type Storage = Awaited<ReturnType<typeof runStorage>>;

/** Brought to `running`. */
export async function runStorage(
  options: StorageOptions,
  { manager = createManager(), id = 'storage' }: { manager?: PluginManager; id?: string } = {},
) {
  const storage = await manager.register(storagePlugin(id, options));
  await storage.load();
  await storage.init();
  await storage.start();
  return storage;
}

/** In a folder that is removed. */
export async function lmdbOptions(): Promise<StorageOptions> {
  return { backend: 'lmdb', path: path.join(await temporaryFolder(), 'data') };
}

export function ownOptions(): StorageOptions {
  return { backend: fixture('list-backend.mjs') };
}

/** The code of the plugin's own error behind a call that failed. */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return (await failureOf(call)).code;
}

export async function failureOf(
  call: Promise<unknown>,
): Promise<{ code: unknown; message: string }> {
  try {
    await call;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    if (!(cause instanceof Error)) throw error;
    return { code: 'code' in cause ? cause.code : undefined, message: cause.message };
  }
  throw new Error('it did not fail');
}
