/** The factory of memory plugins. */
import { typedSpec, type ExecuteOptions, type PluginHandle, type TypedSpec } from 'troupe';

import { fieldsOf } from '../call-options.ts';
import { splitOptions, type SpecOptions } from '../spec-options.ts';
import { dependenciesOf, modulesOf, settingsOf } from './options.ts';
import type { HybridWeights } from './score.ts';
import type {
  MemoryAddOptions,
  MemoryChanges,
  MemoryInput,
  MemoryOutput,
  MemoryOutputs,
  MemoryRecentOptions,
  MemorySearchOptions,
  MemorySelection,
  MemoryWeights,
} from './types.ts';

/** Times are in ms. */
export interface MemoryOptions extends SpecOptions {
  /**
   * Makes vectors of texts: the id of a plugin that answers `{ op: 'embed', texts }` with
   * `{ vectors }`, or (a URL) a module whose default export takes texts and gives vectors.
   * Default none: then search is by text alone.
   */
  embedder?: string | URL | undefined;
  /** Name of what makes the vectors. Entries that have theirs from another one are embedded anew. */
  embedderModel?: string | undefined;
  /** Length of vectors. Default: that of the first. */
  dimensions?: number | undefined;
  /** Texts in one call to the embedder, at most. Default 64. */
  embedBatch?: number | undefined;
  /** For one call to the embedder. Default 30,000. */
  embedTimeoutMs?: number | undefined;
  /** The id of a storage plugin that keeps the entries. Default none: they end with the plugin. */
  storage?: string | undefined;
  /** Where they are in the storage. Default `memory:<id>`. */
  storageNamespace?: string | undefined;
  /** For one write. Default 10,000. */
  storageTimeoutMs?: number | undefined;
  /** For reading everything back at the start. Default 120,000. */
  rebuildTimeoutMs?: number | undefined;
  /** Beyond it, what is worth least is forgotten. Default 10,000. */
  maxEntries?: number | undefined;
  /** The same for each namespace. Default: `maxEntries`. */
  maxEntriesPerNamespace?: number | undefined;
  /** Longest text of an entry or a query, in UTF-16 units. Default 32,768. */
  textCharsMax?: number | undefined;
  /** Largest metadata of an entry, in UTF-16 units as JSON. Default 16,384. */
  metadataCharsMax?: number | undefined;
  /** Entries are forgotten after so long, where they do not say otherwise. Default: never. */
  ttlMs?: number | undefined;
  /** How often what has expired is thrown away; it is not seen before, either. Default 30,000. */
  sweepMs?: number | undefined;
  /** Of a score's parts. Default relevance 0.7, importance 0.2, recency 0.1. */
  weights?: Partial<MemoryWeights> | undefined;
  /** Of text and vectors in a hybrid search. Default 0.5 each. */
  hybridWeights?: HybridWeights | undefined;
  /** Recency halves in that time. Default 7 days. */
  halfLifeMs?: number | undefined;
  /** English words are compared by their stems. Default true. */
  stemming?: boolean | undefined;
  /** A module whose default export counts the tokens of a text. Default: four bytes are one. */
  tokenizer?: URL | undefined;
  /** Tokens that a window reckons for each message beside its text. Default 4. */
  messageTokens?: number | undefined;
}

/** The ops as methods of the handle. */
export interface MemoryMethods {
  execute<I extends MemoryInput>(
    input: I,
    options?: ExecuteOptions,
  ): Promise<MemoryOutputs[I['op']]>;
  add(text: string, options?: MemoryAddOptions & ExecuteOptions): Promise<MemoryOutputs['add']>;
  search(
    text: string,
    options?: MemorySearchOptions & ExecuteOptions,
  ): Promise<MemoryOutputs['search']>;
  get(id: string, options?: MemoryCallOptions): Promise<MemoryOutputs['get']>;
  update(
    id: string,
    changes: MemoryChanges,
    options?: ExecuteOptions,
  ): Promise<MemoryOutputs['update']>;
  delete(id: string, options?: MemoryCallOptions): Promise<boolean>;
  recent(options?: MemoryRecentOptions & ExecuteOptions): Promise<MemoryOutputs['recent']>;
  count(options?: MemorySelection & ExecuteOptions): Promise<number>;
  clear(options?: MemorySelection & ExecuteOptions): Promise<number>;
  window(
    conversation: string,
    tokens: number,
    options?: MemoryCallOptions,
  ): Promise<MemoryOutputs['window']>;
}

export interface MemoryCallOptions extends ExecuteOptions {
  /** Default `default`. */
  namespace?: string | undefined;
}

export type MemorySpec = TypedSpec<MemoryInput, MemoryOutput, MemoryMethods>;

/** Calls that wait for an embedder must not keep searches out. */
const CONCURRENCY = 256;
/** What a hook may need beside the rebuild. */
const HOOK_SPARE_MS = 5_000;

/**
 * The memory of an agent: what it is told is found again by words, by meaning, or both.
 *
 * @throws PluginError `INVALID_SPEC` for options that cannot be, by name.
 *
 * @example
 * await manager.register(storagePlugin('disk', { path: './data' }));
 * const memory = await manager.register(memoryPlugin('memory', { embedder: 'llm', storage: 'disk' }));
 * await manager.up();
 * await memory.add('Ada prefers tea', { importance: 0.8, metadata: { about: 'Ada' } });
 * const { hits } = await memory.search('what does Ada drink');
 */
export function memoryPlugin(id: string, options: MemoryOptions = {}): MemorySpec {
  const { spec, own } = splitOptions(options);
  const settings = settingsOf(id, own, spec);
  const hookTimeoutMs = settings.rebuildTimeoutMs + HOOK_SPARE_MS;
  return typedSpec(
    {
      id,
      type: 'memory',
      name: 'Memory',
      description: 'Remembers texts, and finds them by words, by meaning, importance and age.',
      capabilities: ['memory', 'search', ...(settings.embedder ? ['vector-search'] : [])],
      entry: new URL('./plugin.js', import.meta.url),
      modules: modulesOf(settings),
      concurrency: CONCURRENCY,
      ...spec,
      limits: { hookTimeoutMs, ...spec.limits },
      dependencies: dependenciesOf(settings, spec.dependencies),
      config: { ...settings },
    },
    methodsOf,
  );
}

function methodsOf(plugin: PluginHandle<MemoryInput, MemoryOutput>): MemoryMethods {
  const execute = plugin.execute.bind(plugin) as MemoryMethods['execute'];
  return {
    execute,
    add: (text, more) => execute({ op: 'add', text, ...fieldsOf(more) }, more),
    search: (text, more) => execute({ op: 'search', text, ...fieldsOf(more) }, more),
    get: (id, more) => execute({ op: 'get', id, ...fieldsOf(more) }, more),
    update: (id, changes, more) => execute({ op: 'update', id, ...changes }, more),
    delete: (id, more) => execute({ op: 'delete', id, ...fieldsOf(more) }, more),
    recent: (more) => execute({ op: 'recent', ...fieldsOf(more) }, more),
    count: (more) => execute({ op: 'count', ...fieldsOf(more) }, more),
    clear: (more) => execute({ op: 'clear', ...fieldsOf(more) }, more),
    window: (conversation, tokens, more) =>
      execute({ op: 'window', conversation, tokens, ...fieldsOf(more) }, more),
  };
}
