/** Asks a language model over HTTP: see docs/plugins/llm.md. Runs in a thread of its own. */
import { definePlugin } from 'troupe/plugin';

import type { Engine } from './engine.ts';
import type { Counts } from './tally.ts';

export default definePlugin((ctx) => {
  let engine: Engine | undefined;

  const ready = (): Engine => {
    if (engine) return engine;
    throw new Error('the plugin has not run its init');
  };

  return {
    // the libraries take a quarter of a second: not in the first call
    load: () => import('./engine.ts'),
    async init() {
      const { Engine } = await import('./engine.ts');
      engine = await Engine.create(ctx);
    },
    execute: (input, call) => ready().execute(input, call),
    health: () => engine?.health ?? { healthy: true },
    stats: () => ({ ...engine?.stats }),
    snapshot: () => engine?.counts,
    restore: (counts: Counts | undefined) => {
      if (counts) ready().restore(counts);
    },
  };
});
