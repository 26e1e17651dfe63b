/** What each op does. */
import { messageOf } from '../coded-error.ts';
import type { Embedder } from './embedder.ts';
import type { Change } from './entries.ts';
import { compileFilter } from './filter.ts';
import { greatest } from './heap.ts';
import { isExpired, itemOf, type Item } from './item.ts';
import { MemoryError } from './memory-error.ts';
import type { Parts } from './parts.ts';
import { searchSpace } from './search.ts';
import { DEFAULT_NAMESPACE, IMPORTANCE_DEFAULT, LIMIT_DEFAULT } from './settings.ts';
import type {
  MemoryEntry,
  MemoryInput,
  MemoryMode,
  MemoryOp,
  MemoryOutput,
  MemoryOutputs,
  MemorySelection,
} from './types.ts';
import { windowOf, type CountTokens } from './window.ts';
import { wordsOf } from './words.ts';
import type { View } from './writer.ts';

export interface OpsParts extends Parts {
  countTokens: CountTokens;
}

type Request<K extends MemoryOp> = Extract<MemoryInput, { op: K }>;
type Ops = {
  [K in MemoryOp]: (request: Request<K>, signal: AbortSignal) => Promise<MemoryOutputs[K]>;
};

export interface MemoryOps {
  run(request: MemoryInput, signal: AbortSignal): Promise<MemoryOutput>;
  readonly searches: Readonly<Record<MemoryMode, number>>;
}

export function createOps(parts: OpsParts): MemoryOps {
  const { settings, entries, writer, ids, embedder, countTokens } = parts;
  const searches: Record<MemoryMode, number> = { text: 0, vector: 0, hybrid: 0 };

  const ops: Ops = {
    async add(request, signal) {
      const { text, namespace = DEFAULT_NAMESPACE, role, conversation } = request;
      const now = Date.now();
      const ttlMs = request.ttlMs ?? settings.ttlMs;
      // Before the embedder is asked: entries are in the order in which they were told.
      const entry: MemoryEntry = {
        id: ids.next(now),
        namespace,
        text,
        importance: request.importance ?? IMPORTANCE_DEFAULT,
        metadata: request.metadata ?? {},
        ...(role === undefined ? {} : { role }),
        ...(conversation === undefined ? {} : { conversation }),
        createdAt: now,
        updatedAt: now,
        ...(ttlMs === undefined ? {} : { expiresAt: now + ttlMs }),
      };
      // No turn is lost without one, so that calls take effect in their order.
      const vector = embedder ? await embedder.embed(text) : undefined;
      signal.throwIfAborted();
      const item = itemOf(entry, vector, settings.halfLifeMs);
      return writer.write(() => ({ changes: [put(item)], result: { id: entry.id } }));
    },

    async search(request, signal) {
      const { namespace = DEFAULT_NAMESPACE, filter, weights } = request;
      const query = {
        ...(await howToSearch(request.text, request.mode, embedder)),
        text: request.text,
        limit: request.limit ?? LIMIT_DEFAULT,
        threshold: request.threshold ?? 0,
        conversation: request.conversation,
        filter,
      };
      signal.throwIfAborted();
      if (filter) compileFilter(filter);
      searches[query.mode]++;
      const space = entries.space(namespace);
      const ranking = {
        weights: { ...settings.weights, ...weights },
        hybridWeights: settings.hybridWeights,
        halfLifeMs: settings.halfLifeMs,
        now: Date.now(),
      };
      const found = space ? searchSpace(space, query, ranking) : { hits: [], found: 0 };
      const { mode, fallback } = query;
      return { ...found, mode, ...(fallback === undefined ? {} : { fallback }) };
    },

    async get({ id, namespace = DEFAULT_NAMESPACE }) {
      return there(entries, namespace, id)?.entry;
    },

    async update(request, signal) {
      const { id, namespace = DEFAULT_NAMESPACE, text } = request;
      // Not paid for where there is nothing to change.
      if (!there(entries, namespace, id)) throw notFound(id, namespace);
      const vector = embedder && text !== undefined ? await embedder.embed(text) : undefined;
      signal.throwIfAborted();
      return writer.write((view) => {
        const item = there(view, namespace, id);
        if (!item) throw notFound(id, namespace);
        const entry = changed(item.entry, request, Date.now());
        const kept = text === undefined ? item.vector : vector;
        return { changes: [put(itemOf(entry, kept, settings.halfLifeMs))], result: entry };
      });
    },

    delete({ id, namespace = DEFAULT_NAMESPACE }) {
      return writer.write((view) => {
        const item = there(view, namespace, id);
        return { changes: item ? [drop(item)] : [], result: item !== undefined };
      });
    },

    async recent(request) {
      const items = selected(request);
      return greatest(items, request.limit ?? LIMIT_DEFAULT, isOlder).map(({ entry }) => entry);
    },

    async count(request) {
      let count = 0;
      for (const _ of selected(request)) count++;
      return count;
    },

    clear(request) {
      // Looked for in its turn, so that it has what was added before it.
      const filter = request.filter && compileFilter(request.filter);
      return writer.write(
        () => {
          const items = [...selected(request, filter)];
          return { changes: items.map(drop), result: items.length };
        },
        { isAlone: true },
      );
    },

    async window({ conversation, tokens, namespace }) {
      const newestFirst = [...selected({ conversation, namespace })]
        .sort((a, b) => (isOlder(a, b) ? 1 : -1))
        .map(({ entry }) => entry);
      const options = { count: countTokens, perMessage: settings.messageTokens };
      return windowOf(newestFirst, tokens, options);
    },
  };

  function selected(
    { namespace = DEFAULT_NAMESPACE, conversation, filter }: MemorySelection,
    matches = filter && compileFilter(filter),
  ): Iterable<Item> {
    return entries.select({ namespace, conversation, matches }, Date.now());
  }

  return {
    // One function for each op; TypeScript does not follow that the request is that op's.
    run: async (request, signal) =>
      (ops[request.op] as (request: MemoryInput, signal: AbortSignal) => Promise<MemoryOutput>)(
        request,
        signal,
      ),
    searches,
  };
}

interface Way {
  mode: MemoryMode;
  vector: Float32Array | undefined;
  fallback?: string;
}

/** A hybrid search goes by text alone where the embedder fails, and says so. */
async function howToSearch(
  text: string,
  wanted: MemoryMode | undefined,
  embedder: Embedder | undefined,
): Promise<Way> {
  const mode = wanted ?? (embedder ? 'hybrid' : 'text');
  const hasWords = (): boolean => wordsOf(text, undefined).length > 0;
  if (mode === 'text') {
    if (!hasWords())
      throw new MemoryError('MEMORY_INVALID_QUERY', 'search: text has no word in it');
    return { mode, vector: undefined };
  }
  if (!embedder) {
    const remedy = "give the plugin an embedder, or search with mode 'text'";
    throw new MemoryError('MEMORY_NO_EMBEDDER', `search: mode '${mode}' needs vectors; ${remedy}`);
  }
  try {
    return { mode, vector: await embedder.embed(text, { isUrgent: true }) };
  } catch (error) {
    if (mode === 'vector' || !hasWords()) throw error;
    return { mode: 'text', vector: undefined, fallback: messageOf(error) };
  }
}

function there(view: View, namespace: string, id: string): Item | undefined {
  const item = view.get(namespace, id);
  return item && !isExpired(item, Date.now()) ? item : undefined;
}

function changed(entry: MemoryEntry, request: Request<'update'>, now: number): MemoryEntry {
  const { expiresAt, ...rest } = entry;
  const until =
    request.ttlMs === undefined
      ? expiresAt
      : request.ttlMs === null
        ? undefined
        : now + request.ttlMs;
  return {
    ...rest,
    text: request.text ?? entry.text,
    importance: request.importance ?? entry.importance,
    metadata: request.metadata ?? entry.metadata,
    updatedAt: now,
    ...(until === undefined ? {} : { expiresAt: until }),
  };
}

function notFound(id: string, namespace: string): MemoryError {
  const problem = `update: there is no entry ${id.slice(0, 80)} in the namespace ${namespace}`;
  return new MemoryError('MEMORY_ENTRY_NOT_FOUND', problem);
}

function put(item: Item): Change {
  return { kind: 'put', item };
}

function drop(item: Item): Change {
  return { kind: 'drop', item };
}

function isOlder(a: Item, b: Item): boolean {
  return a.entry.id < b.entry.id;
}
