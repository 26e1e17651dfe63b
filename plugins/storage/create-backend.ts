/** The backend that the plugin's configuration names. Its library is imported when it is needed. */
import { messageOf } from '../coded-error.ts';
import type { CreateStorageBackend, StorageBackend, StorageBackendOptions } from './backend.ts';
import type { Uninterrupted } from './lmdb-sections.ts';
import { StorageError } from './storage-error.ts';

/** What the factory puts into `config` of the spec. */
export interface StorageConfig {
  /** One of the bundled, or the URL of a module. */
  backend: string;
  path?: string;
  url?: string;
  keyPrefix?: string;
  maxBytes?: number;
  sweepMs?: number;
  /** What a question for health or stats has for its answer. */
  vitalMs: number;
  backendOptions?: Record<string, unknown>;
}

export interface Surroundings {
  pluginId: string;
  agentId: string;
  /** Which life of the plugin it is, from 1. */
  generation: number;
  log: { warn(message: string): void };
  /** Where a module that is the backend is imported from. */
  modules: Readonly<Record<string, string>>;
  uninterrupted: Uninterrupted;
}

export async function createBackend(
  config: StorageConfig,
  { pluginId, agentId, generation, log, modules, uninterrupted }: Surroundings,
): Promise<StorageBackend> {
  const bytesMax = config.maxBytes ?? Infinity;
  switch (config.backend) {
    case 'memory': {
      const { MemoryBackend } = await import('./memory-backend.ts');
      return new MemoryBackend({ bytesMax });
    }
    case 'lmdb': {
      const { openLmdb } = await import('./lmdb-backend.ts');
      const path = config.path ?? defaultPath(agentId, pluginId);
      // what broke between two lives of one program, LMDB would have broken
      return openLmdb({ path, bytesMax, isChecked: generation === 1, uninterrupted });
    }
    case 'redis': {
      const { openRedis } = await import('./redis-backend.ts');
      const { url = '', keyPrefix = `troupe:${pluginId}` } = config;
      return openRedis({ url, keyPrefix, bytesMax, vitalMs: config.vitalMs, log });
    }
    default:
      return ownBackend(modules['backend'] ?? config.backend, {
        pluginId,
        agentId,
        path: config.path,
        url: config.url,
        bytesMax,
        options: config.backendOptions ?? {},
      });
  }
}

/** Below the working directory; ids become names of folders. */
export function defaultPath(agentId: string, pluginId: string): string {
  return ['.troupe', agentId, pluginId].map(folderName).join('/');
}

function folderName(id: string, at: number): string {
  return at === 0 ? id : encodeURIComponent(id).replace(/^\./, '%2E');
}

const METHODS = ['get', 'commit', 'scan', 'count', 'clear', 'sweep', 'usage', 'close'] as const;

async function ownBackend(url: string, options: StorageBackendOptions): Promise<StorageBackend> {
  let create: unknown;
  try {
    ({ default: create } = (await import(url)) as { default?: unknown });
  } catch (error) {
    throw invalid(`cannot be loaded: ${messageOf(error)}`, error);
  }
  if (typeof create !== 'function') {
    throw invalid('has no default export that is a function which makes a StorageBackend');
  }
  const backend: unknown = await (create as CreateStorageBackend)(options);
  const missing = METHODS.filter((name) => !hasMethod(backend, name));
  if (missing.length > 0) throw invalid(`made a backend without ${missing.join(', ')}`);
  return backend as StorageBackend;
}

function hasMethod(backend: unknown, name: string): boolean {
  if (typeof backend !== 'object' || backend === null) return false;
  return typeof Reflect.get(backend, name) === 'function';
}

function invalid(why: string, cause?: unknown): StorageError {
  return new StorageError('STORAGE_BACKEND_INVALID', `the backend's module ${why}`, { cause });
}
