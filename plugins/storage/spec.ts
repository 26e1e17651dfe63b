/** The factory of storage plugins: options in, a spec and its methods out. Runs on the main thread. */
import { typedSpec, type ExecuteOptions, type PluginHandle, type TypedSpec } from 'troupe';

import { fieldsOf } from '../call-options.ts';
import { TIME_MS_MAX, unknownIn } from '../input.ts';
import { OptionCheck } from '../option-check.ts';
import { invalidOptions, splitOptions, type SpecOptions } from '../spec-options.ts';
import type { StorageConfig } from './create-backend.ts';
import { VITAL_MS } from './limits.ts';
import type {
  StorageBackupResult,
  StorageBatchResult,
  StorageCasResult,
  StorageCondition,
  StorageEntry,
  StorageInput,
  StorageOperation,
  StorageOutput,
  StorageOutputs,
  StorageRangeInput,
} from './types.ts';

export interface StorageOptions extends SpecOptions {
  /** The URL is that of a module whose default export makes a `StorageBackend`. Default `'lmdb'`. */
  backend?: 'lmdb' | 'memory' | 'redis' | URL;
  /** Folder of the LMDB database. Default `.troupe/<agent>/<plugin>` in the working directory. */
  path?: string;
  /** Of the Redis server: `redis[s]://[[user][:password]@]host[:port][/database]`. */
  url?: string;
  /** Before every key in the Redis server. Plugins that share it share their entries. Default `troupe:<plugin>`. */
  keyPrefix?: string;
  /** Bytes of all keys, namespaces and encoded values; what would make it more is refused. Default: no bound. */
  maxBytes?: number;
  /** How often expired entries are removed (ms); they are not seen before that either. Default 60,000; 0 is never. */
  sweepMs?: number;
  /** For a backend of one's own. */
  backendOptions?: Record<string, unknown>;
}

/** Of a call on the handle. */
export interface StorageCallOptions extends ExecuteOptions {
  namespace?: string;
}

export interface StorageMethods {
  execute<I extends StorageInput>(
    input: I,
    options?: ExecuteOptions,
  ): Promise<StorageOutputs[I['op']]>;
  /** `undefined` where there is nothing. */
  get<T = unknown>(key: string, options?: StorageCallOptions): Promise<T | undefined>;
  /** Settles when it is stored. `ttlMs`: the entry is gone after it. */
  put(
    key: string,
    value: unknown,
    options?: StorageCallOptions & { ttlMs?: number },
  ): Promise<void>;
  /** True when there was something to delete. */
  delete(key: string, options?: StorageCallOptions): Promise<boolean>;
  has(key: string, options?: StorageCallOptions): Promise<boolean>;
  /** In the order of keys; at most 10,000 entries, else an error. */
  scan<T = unknown>(
    range?: StorageRangeInput,
    options?: ExecuteOptions,
  ): Promise<StorageEntry<T>[]>;
  /** The same as a stream, however many there are. */
  entries<T = unknown>(
    range?: StorageRangeInput,
    options?: ExecuteOptions,
  ): AsyncIterable<StorageEntry<T>>;
  /** All operations, or none: where a condition does not hold, or they do not fit. */
  batch(
    operations: readonly StorageOperation[],
    options?: StorageCallOptions & { conditions?: readonly StorageCondition[] },
  ): Promise<StorageBatchResult>;
  /** Puts `value` where `expected` is what is there; `undefined`: nothing is. */
  cas<T = unknown>(
    key: string,
    expected: unknown,
    value: unknown,
    options?: StorageCallOptions & { ttlMs?: number },
  ): Promise<StorageCasResult<T>>;
  count(options?: StorageCallOptions & { prefix?: string }): Promise<number>;
  /** Deletes all of the namespace, and says how many there were. */
  clear(options?: StorageCallOptions): Promise<number>;
  /** A copy of the database in a new folder at `path`. */
  backup(path: string, options?: ExecuteOptions): Promise<StorageBackupResult>;
}

export type StorageSpec = TypedSpec<StorageInput, StorageOutput, StorageMethods>;

/** Calls that are inside at once: commits that come together are written together. */
const CONCURRENCY = 256;
const BUNDLED = ['lmdb', 'memory', 'redis'];

/**
 * A plugin that keeps values of any kind under keys.
 *
 * @throws PluginError `INVALID_SPEC` for an option that is wrong, or does not belong to the backend.
 *
 * @example
 * const storage = await manager.register(storagePlugin('storage_001', { path: './data' }));
 * await manager.up();
 * await storage.put('user:1', { name: 'Ada' }, { ttlMs: 60_000 });
 */
export function storagePlugin(id: string, options: StorageOptions = {}): StorageSpec {
  const { spec, own } = splitOptions(options);
  const { backend = 'lmdb', ...rest } = own;
  checkOptions(id, backend, rest);
  const { healthTimeoutMs = Infinity } = spec.limits ?? {};
  const vitalMs = Math.min(VITAL_MS, healthTimeoutMs / 2);
  const config: StorageConfig = { ...rest, backend: String(backend), vitalMs };
  return typedSpec<StorageInput, StorageOutput, StorageMethods>(
    {
      id,
      type: 'storage',
      name: 'Storage',
      description: 'Keeps values of any kind under keys.',
      capabilities: ['storage', 'key-value'],
      entry: new URL('plugin.js', import.meta.url),
      ...(backend instanceof URL && { modules: { backend } }),
      concurrency: CONCURRENCY,
      // a URL with a password is a secret
      ...(config.url === undefined ? {} : { secrets: ['url'] }),
      ...spec,
      config: { ...config },
    },
    methodsOf,
  );
}

function methodsOf(plugin: PluginHandle<StorageInput>): StorageMethods {
  // taken before the methods stand in their place
  const execute = plugin.execute.bind(plugin);
  const stream = plugin.stream.bind(plugin);
  const ask = async <T>(input: object, options?: ExecuteOptions): Promise<T> =>
    (await execute(input as StorageInput, options)) as T;
  return {
    execute: ask,
    get: (key, options) => ask({ op: 'get', key, ...fieldsOf(options) }, options),
    put: (key, value, options) => ask({ op: 'put', key, value, ...fieldsOf(options) }, options),
    delete: (key, options) => ask({ op: 'delete', key, ...fieldsOf(options) }, options),
    has: (key, options) => ask({ op: 'has', key, ...fieldsOf(options) }, options),
    scan: (range, options) => ask({ op: 'scan', ...range }, options),
    entries: <T>(range?: StorageRangeInput, options?: ExecuteOptions) =>
      stream({ op: 'scan', ...range }, options) as AsyncIterable<StorageEntry<T>>,
    batch: (operations, options) => ask({ op: 'batch', operations, ...fieldsOf(options) }, options),
    cas: (key, expected, value, options) =>
      ask({ op: 'cas', key, expected, value, ...fieldsOf(options) }, options),
    count: (options) => ask({ op: 'count', ...fieldsOf(options) }, options),
    clear: (options) => ask({ op: 'clear', ...fieldsOf(options) }, options),
    backup: (path, options) => ask({ op: 'backup', path }, options),
  };
}

type Own = Omit<StorageOptions, keyof SpecOptions | 'backend'>;

const MAY: Record<keyof Own, (backend: string | URL) => boolean> = {
  path: (backend) => backend === 'lmdb' || backend instanceof URL,
  url: (backend) => backend === 'redis' || backend instanceof URL,
  keyPrefix: (backend) => backend === 'redis',
  maxBytes: () => true,
  sweepMs: () => true,
  backendOptions: (backend) => backend instanceof URL,
};

function checkOptions(pluginId: string, backend: string | URL, own: Own): void {
  const check = new OptionCheck(pluginId);
  const refuse = (why: string): never => {
    throw invalidOptions(pluginId, why);
  };
  if (!(backend instanceof URL) && !BUNDLED.includes(backend)) {
    refuse(`"backend" must be one of ${BUNDLED.join(', ')}, or the URL of a module`);
  }
  const unknown = unknownIn({ ...own }, Object.keys(MAY));
  if (unknown !== undefined) refuse(`there is no option ${unknown}`);
  for (const [name, value] of Object.entries(own)) {
    if (isOption(name) && value !== undefined && !MAY[name](backend)) {
      refuse(`"${name}" is no option of the backend ${backend instanceof URL ? 'given' : backend}`);
    }
  }
  for (const name of ['path', 'url', 'keyPrefix'] as const) check.text(name, own[name]);
  const { maxBytes, sweepMs, url } = own;
  check.number('maxBytes', maxBytes, { min: 1, isWhole: true });
  check.number('sweepMs', sweepMs, { min: 0, max: TIME_MS_MAX, isWhole: true });
  if (backend === 'redis') {
    if (url === undefined)
      refuse('the backend redis needs "url", for example redis://localhost:6379');
    else if (!isRedisUrl(url)) refuse('"url" must be of the form redis[s]://host[:port]');
  }
}

function isOption(name: string): name is keyof Own {
  return Object.hasOwn(MAY, name);
}

function isRedisUrl(url: string): boolean {
  return URL.canParse(url) && ['redis:', 'rediss:'].includes(new URL(url).protocol);
}
