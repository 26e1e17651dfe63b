/** What the memory is made of, and what its parts share. */
import type { Logger } from 'troupe/plugin';

import type { Embedder } from './embedder.ts';
import type { Entries } from './entries.ts';
import type { Ids } from './ids.ts';
import type { Keeper } from './keeper.ts';
import type { MemorySettings } from './settings.ts';
import type { Writer } from './writer.ts';

export interface Parts {
  settings: MemorySettings;
  entries: Entries;
  keeper: Keeper;
  writer: Writer;
  ids: Ids;
  embedder: Embedder | undefined;
  log: Logger;
  tally: Tally;
}

/** Counted since the thread began. */
export interface Tally {
  evicted: number;
  expired: number;
  /** Records of the storage that are no entries. */
  unreadable: number;
}
