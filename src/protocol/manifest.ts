/** What a plugin says of itself, and what its embedder asks for: data only, checked in the kernel. */
import type {
  Limits,
  MailboxOptions,
  ReloadOptions,
  RestartOptions,
  ScriptOptions,
  ThreadsOptions,
} from './limits.ts';
import type { HttpHost, WasmOptions, WasmPlan } from './wasm.ts';

export const PLUGIN_TYPES = ['llm', 'tool', 'storage', 'memory', 'monitor', 'custom'] as const;
export type PluginType = (typeof PLUGIN_TYPES)[number];

export const HOST_KINDS = ['module', 'script', 'wasm'] as const;
export type HostKind = (typeof HOST_KINDS)[number];

export const ISOLATION_KINDS = ['thread', 'process', 'pool'] as const;
export type IsolationKind = (typeof ISOLATION_KINDS)[number];

export const CARRIER_KINDS = ['auto', 'port'] as const;
export type CarrierKind = (typeof CARRIER_KINDS)[number];

/** A plugin that must be there first: an id, optionally with a semver range (`"store@^1.2"`). */
export type DependencySpec =
  | string
  | { id: string; range?: string | undefined; optional?: boolean | undefined };

export interface PluginMetadata {
  /** Unique within a manager. */
  id: string;
  /** For people. Default: the id. */
  name: string;
  type: PluginType;
  /** Semver. Default `1.0.0`. */
  version: string;
  description: string;
  author: string;
  /** What it can do, for `findByCapability`. */
  capabilities: string[];
  /** Higher starts first among independent plugins. Default 0. */
  priority: number;
  dependencies: DependencySpec[];
}

/** Where the code is: a path or URL, or that with the SHA-256 (hex) of the bytes that may run. */
export type EntrySpec = string | URL | { path: string | URL; sha256?: string | undefined };

/** How many replicas follow the load, and how soon. */
export interface ReplicaRange {
  /** Default 1. */
  min?: number | undefined;
  /** Default: one less than there are processors, and at least `min`. */
  max?: number | undefined;
  /** More replicas after calls have waited that long (ms). Default 500. */
  growAfterMs?: number | undefined;
  /** One less after that long without need for it (ms). Default 30,000. */
  shrinkAfterMs?: number | undefined;
}

/** A number, `auto` (a range with its defaults), or a range. */
export type ReplicaSpec = number | 'auto' | ReplicaRange;

export type ReplicaBounds = { readonly [K in keyof ReplicaRange]-?: number };

/**
 * What a plugin may do. As long as it is given nothing but `env`, it is not restricted; as soon as
 * any other of these is given, it has only what is given, and reads what it needs to be loaded.
 * Who holds it to that, in a thread and in a process, is in SECURITY.md.
 */
export interface Permissions {
  /** Environment variables the plugin sees, by name. Default none. */
  env?: string[] | undefined;
  /** Paths, each with all that is below it; `'*'` is every path. */
  fs?: { read?: PathSpec[] | undefined; write?: PathSpec[] | undefined } | undefined;
  /** Start programs. They are not restricted. */
  childProcess?: boolean | undefined;
  /** Start worker threads. In those, the limits on files need not hold. */
  worker?: boolean | undefined;
  /** Load native addons. They are not restricted. */
  addons?: boolean | undefined;
  /** Hosts that a WebAssembly guest may send HTTP requests to; it has no other network. Default none. */
  http?: HttpHost[] | undefined;
}

/** A path, absolute or relative as `entry` is, or a `file:` URL. In `plugin.json` it is a string. */
export type PathSpec = string | URL;

/** What a restricted plugin may do. Paths are absolute and mean all below them; `*` is every path. */
export interface Access {
  read: readonly string[];
  write: readonly string[];
  childProcess: boolean;
  worker: boolean;
  addons: boolean;
}

/**
 * What `manager.register` takes, and (with a relative `entry`) what `plugin.json` holds. Only
 * `id`, `type` and `entry` must be given.
 */
export interface PluginSpec extends Partial<Omit<PluginMetadata, 'id' | 'type'>> {
  id: string;
  type: PluginType;
  /** A path relative to the working directory (in `plugin.json`: to its folder), or a URL. */
  entry: EntrySpec;
  /** What executes it. Default by ending: `.wasm` is wasm, anything else module. A script says so. */
  host?: HostKind | undefined;
  /** Default `thread`. */
  isolation?: IsolationKind | undefined;
  /**
   * How messages reach a thread, or those of a pool. `auto`: through shared memory where that is faster, which looks
   * for messages for a moment instead of sleeping. `port`: always over a message port, for
   * programs that want no core kept busy. Default `auto`.
   */
  carrier?: CarrierKind | undefined;
  /**
   * Modules that the plugin imports beside its entry, by names of its choice: `ctx.modules` says
   * where each is to be imported from. They are treated as the entry is: TypeScript is bundled,
   * a reload and `reload.watch` see their changes. Of `host: 'module'` only.
   */
  modules?: Record<string, string | URL> | undefined;
  /** Handed to the plugin as `ctx.config`. */
  config?: Record<string, unknown> | undefined;
  /**
   * Paths into `config` (`apiKey`, `db.password`) whose values are kept out of errors, logs,
   * events, health and stats. Environment variables always are. Default none.
   */
  secrets?: string[] | undefined;
  /** False: `up`, `loadAll`, `initAll` and `startAll` leave it alone. Default true. */
  enabled?: boolean | undefined;
  /** False: `up` and `startAll` leave it initialized. Default true. */
  autoStart?: boolean | undefined;
  /** Calls the plugin may be inside of at once, in its one thread. Default 1, as an actor. */
  concurrency?: number | undefined;
  /** Of `isolation: 'pool'` only; a number is `min` and `max` at once. */
  threads?: number | Partial<ThreadsOptions> | undefined;
  /** Actors of this plugin behind its one id. Default: one, which is no replica. */
  replicas?: ReplicaSpec | undefined;
  /** Of `host: 'script'` only. */
  script?: Partial<ScriptOptions> | undefined;
  mailbox?: Partial<MailboxOptions> | undefined;
  limits?: Partial<Limits> | undefined;
  restart?:
    | (Partial<Omit<RestartOptions, 'backoff'>> & {
        backoff?: Partial<RestartOptions['backoff']> | undefined;
      })
    | undefined;
  /** How it is replaced by a new version of itself. */
  reload?: Partial<ReloadOptions> | undefined;
  permissions?: Permissions | undefined;
  /** Of `host: 'wasm'` only. */
  wasm?: WasmOptions | undefined;
}

/** A spec with every default filled in and its entry resolved. */
export interface PluginPlan {
  metadata: PluginMetadata;
  dependencies: Dependency[];
  entry: URL;
  sha256: string | undefined;
  /** What it imports beside its entry, by name. */
  modules: Record<string, URL>;
  host: HostKind;
  isolation: IsolationKind;
  carrier: CarrierKind;
  config: Record<string, unknown>;
  enabled: boolean;
  autoStart: boolean;
  /** Calls it may be inside of at once: of a pool, one in each thread. */
  concurrency: number;
  /** Of a pool. */
  threads: ThreadsOptions | undefined;
  /** `undefined`: it has none. */
  replicas: ReplicaBounds | undefined;
  /** Of a script. */
  script: ScriptPlan | undefined;
  mailbox: MailboxOptions;
  limits: Limits;
  restart: RestartOptions;
  reload: ReloadOptions;
  /** The environment the plugin sees. */
  env: Record<string, string>;
  /** Texts that are kept out of what is told of the plugin. */
  secrets: string[];
  /** What else it may do; `undefined`: it is not restricted. */
  access: Access | undefined;
  /** Of a WebAssembly plugin. */
  wasm?: WasmPlan | undefined;
}

export interface ScriptPlan extends ScriptOptions {
  /** Absolute: what the script may import lies below it. */
  folder: string;
}

export interface Dependency {
  id: string;
  range: string | undefined;
  optional: boolean;
}
