/** What a memory plugin is set to: its options with every default filled in, as data. */
import type { HybridWeights } from './score.ts';
import type { MemoryWeights } from './types.ts';

export type EmbedderSetting = { plugin: string } | { module: string };

export interface MemorySettings {
  embedder: EmbedderSetting | undefined;
  embedderModel: string | undefined;
  dimensions: number | undefined;
  embedBatch: number;
  embedTimeoutMs: number;
  storage: string | undefined;
  storageNamespace: string;
  storageTimeoutMs: number;
  rebuildTimeoutMs: number;
  maxEntries: number;
  maxEntriesPerNamespace: number;
  textCharsMax: number;
  metadataCharsMax: number;
  ttlMs: number | undefined;
  sweepMs: number;
  weights: MemoryWeights;
  hybridWeights: HybridWeights;
  halfLifeMs: number;
  stemming: boolean;
  /** URL of a module. */
  tokenizer: string | undefined;
  messageTokens: number;
}

export const DEFAULT_NAMESPACE = 'default';
export const ALL_NAMESPACES = '*';
export const NAME_CHARS_MAX = 256;
export const LIMIT_DEFAULT = 10;
export const LIMIT_MAX = 1_000;
export const IMPORTANCE_DEFAULT = 0.5;

const DAY_MS = 86_400_000;

export const DEFAULTS = {
  embedBatch: 64,
  embedTimeoutMs: 30_000,
  storageTimeoutMs: 10_000,
  rebuildTimeoutMs: 120_000,
  maxEntries: 10_000,
  textCharsMax: 32_768,
  metadataCharsMax: 16_384,
  sweepMs: 30_000,
  weights: { relevance: 0.7, importance: 0.2, recency: 0.1 },
  hybridWeights: { text: 0.5, vector: 0.5 },
  halfLifeMs: 7 * DAY_MS,
  stemming: true,
  messageTokens: 4,
} as const satisfies Partial<MemorySettings>;
