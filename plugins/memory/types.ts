/** What a memory plugin is asked, and what it answers. */

/** What an entry may carry beside its text: JSON. Filters look at its top level. */
export type MemoryMetadata = Record<string, MemoryValue>;
export type MemoryValue =
  | string
  | number
  | boolean
  | null
  | readonly MemoryValue[]
  | { readonly [key: string]: MemoryValue };

export interface MemoryEntry {
  /** Ids of later entries are greater. */
  id: string;
  namespace: string;
  text: string;
  /** 0 to 1. */
  importance: number;
  metadata: MemoryMetadata;
  /** Who said it: `user`, `assistant`, … */
  role?: string | undefined;
  conversation?: string | undefined;
  /** Epoch ms. */
  createdAt: number;
  /** Epoch ms; what recency counts from. */
  updatedAt: number;
  /** Epoch ms; none where it stays. */
  expiresAt?: number | undefined;
}

/** Conditions on metadata; all of them must hold. */
export interface MemoryFilter {
  readonly [field: string]: MemoryCondition | readonly MemoryFilter[] | MemoryFilter | undefined;
  /** One of these must hold. */
  readonly $any?: readonly MemoryFilter[];
  /** This must not hold. */
  readonly $not?: MemoryFilter;
}

export type MemoryScalar = string | number | boolean | null;

/** A value that the field is, or all of these. */
export type MemoryCondition =
  | MemoryScalar
  | {
      readonly eq?: MemoryScalar;
      readonly ne?: MemoryScalar;
      /** Order of numbers, or of strings. */
      readonly gt?: number | string;
      readonly gte?: number | string;
      readonly lt?: number | string;
      readonly lte?: number | string;
      readonly in?: readonly MemoryScalar[];
      /** The field is a list that has this value. */
      readonly contains?: MemoryScalar;
      readonly exists?: boolean;
    };

/** How much each part counts in a score; only their proportions matter. */
export interface MemoryWeights {
  /** How well the entry fits the query. Default 0.7. */
  relevance: number;
  /** Default 0.2. */
  importance: number;
  /** Default 0.1. */
  recency: number;
}

export type MemoryMode = 'text' | 'vector' | 'hybrid';

/** Which entries are meant. */
export interface MemorySelection {
  /** Default `default`; `count` and `clear` take `*` for all. */
  namespace?: string | undefined;
  conversation?: string | undefined;
  filter?: MemoryFilter | undefined;
}

export interface MemoryAddOptions {
  /** 0 to 1. Default 0.5. */
  importance?: number | undefined;
  metadata?: MemoryMetadata | undefined;
  namespace?: string | undefined;
  /** Forgotten after so long (ms). Default: the option `ttlMs` of the plugin. */
  ttlMs?: number | undefined;
  role?: string | undefined;
  conversation?: string | undefined;
}

export interface MemorySearchOptions extends MemorySelection {
  /** Default: `hybrid` with an embedder, `text` without. */
  mode?: MemoryMode | undefined;
  /** Default 10, at most 1,000. */
  limit?: number | undefined;
  /** The least relevance (0 to 1) of a hit. Default 0. */
  threshold?: number | undefined;
  /** Instead of the plugin's. */
  weights?: Partial<MemoryWeights> | undefined;
}

export interface MemoryChanges {
  namespace?: string | undefined;
  text?: string | undefined;
  importance?: number | undefined;
  /** In the place of what was there. */
  metadata?: MemoryMetadata | undefined;
  /** From now (ms); null: it stays. */
  ttlMs?: number | null | undefined;
}

export interface MemoryRecentOptions extends MemorySelection {
  /** Default 10, at most 1,000. */
  limit?: number | undefined;
}

interface InNamespace {
  namespace?: string | undefined;
}

export type MemoryInput =
  | ({ op: 'add'; text: string } & MemoryAddOptions)
  | ({ op: 'search'; text: string } & MemorySearchOptions)
  | ({ op: 'get'; id: string } & InNamespace)
  | ({ op: 'update'; id: string } & MemoryChanges)
  | ({ op: 'delete'; id: string } & InNamespace)
  | ({ op: 'recent' } & MemoryRecentOptions)
  | ({ op: 'count' } & MemorySelection)
  | ({ op: 'clear' } & MemorySelection)
  | ({ op: 'window'; conversation: string; tokens: number } & InNamespace);

export interface MemoryHit extends MemoryEntry {
  /** 0 to 1: relevance, importance and recency by their weights. */
  score: number;
  /** 0 to 1: how well the text fits the query. */
  relevance: number;
}

export interface MemorySearchResult {
  /** Best first. */
  hits: MemoryHit[];
  /** How it was searched. */
  mode: MemoryMode;
  /** How many entries matched, those beyond the limit included. */
  found: number;
  /** Why a hybrid search was made by text alone. */
  fallback?: string | undefined;
}

export interface MemoryWindow {
  /** The newest of the conversation that fit, oldest first. */
  messages: MemoryEntry[];
  /** What they come to. */
  tokens: number;
  /** Older ones that did not fit. */
  omitted: number;
}

/** What each op answers. */
export interface MemoryOutputs {
  add: { id: string };
  search: MemorySearchResult;
  /** `undefined` where there is no such entry. */
  get: MemoryEntry | undefined;
  update: MemoryEntry;
  /** Whether there was one. */
  delete: boolean;
  /** Newest first. */
  recent: MemoryEntry[];
  count: number;
  /** How many there were. */
  clear: number;
  window: MemoryWindow;
}

export type MemoryOp = keyof MemoryOutputs;
export type MemoryOutput = MemoryOutputs[MemoryOp];
