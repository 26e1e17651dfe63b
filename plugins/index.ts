/** Door 3, `troupe/plugins`: factories of the bundled plugins. Each returns a typed spec. */

export { memoryPlugin } from './memory/spec.ts';
export type { MemoryMethods } from './memory/spec.ts';
export type { MemoryOptions } from './memory/spec.ts';
export type { MemorySpec } from './memory/spec.ts';
export type { MemoryAddOptions } from './memory/types.ts';
export type { MemoryChanges } from './memory/types.ts';
export type { MemoryCondition } from './memory/types.ts';
export type { MemoryEntry } from './memory/types.ts';
export type { MemoryFilter } from './memory/types.ts';
export type { MemoryHit } from './memory/types.ts';
export type { MemoryInput } from './memory/types.ts';
export type { MemoryMetadata } from './memory/types.ts';
export type { MemoryMode } from './memory/types.ts';
export type { MemoryOutput } from './memory/types.ts';
export type { MemoryOutputs } from './memory/types.ts';
export type { MemoryRecentOptions } from './memory/types.ts';
export type { MemorySearchOptions } from './memory/types.ts';
export type { MemorySearchResult } from './memory/types.ts';
export type { MemorySelection } from './memory/types.ts';
export type { MemoryWeights } from './memory/types.ts';
export type { MemoryWindow } from './memory/types.ts';
