/**
 * The four plugins. `terms` and `duplicates` have about half of the work each (see the stages in
 * the report), which is all that two cores can share; `parse` and `collect` are light beside them,
 * and a third heavy actor would only wait.
 */
import type { PluginSpec } from 'troupe';

/** Documents under way at once: enough that no actor waits for work, few enough to stay bounded. */
export const IN_FLIGHT = 16;

/** How long `terms` may go on after its deadline before its thread is ended. */
const GRACE_MS = 300;

export const SPECS: readonly PluginSpec[] = [
  {
    id: 'parse',
    type: 'tool',
    entry: new URL('../parse.ts', import.meta.url),
    concurrency: IN_FLIGHT,
    dependencies: ['terms', 'duplicates', 'collect'],
  },
  {
    id: 'terms',
    type: 'tool',
    entry: new URL('../terms.ts', import.meta.url),
    limits: { graceMs: GRACE_MS },
  },
  { id: 'duplicates', type: 'tool', entry: new URL('../duplicates.ts', import.meta.url) },
  { id: 'collect', type: 'storage', entry: new URL('../collect.ts', import.meta.url) },
];
