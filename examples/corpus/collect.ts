/**
 * The plugin `collect`: gathers the results, and says what was found. The one actor with state, so
 * the one that the run with faults leaves alone: a crash would begin it anew, empty.
 */
import { definePlugin } from 'troupe/plugin';

import { Collection, type DocumentResult, type Findings } from './analysis/collection.ts';

/** A result to keep (answered with how many there are), or the question what they add up to. */
export type CollectRequest = DocumentResult | 'findings';

export default definePlugin<CollectRequest, number | Findings>(() => {
  const collection = new Collection();
  return {
    execute(request) {
      if (request === 'findings') return collection.findings();
      collection.add(request);
      return collection.size;
    },
    stats: () => ({ documents: collection.size }),
  };
});
