/** Stats of a plugin that has not been called. */
import type { PluginStats } from 'troupe/plugin';

export const NO_CALLS: PluginStats['calls'] = {
  started: 0,
  succeeded: 0,
  failed: 0,
  timedOut: 0,
  aborted: 0,
  crashed: 0,
  inFlight: 0,
  queued: 0,
  deadLetters: 0,
  lateReplies: 0,
};
