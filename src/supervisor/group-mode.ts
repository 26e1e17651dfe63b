/** Where a group stands, and what its users see of that. */
import type { PluginState } from '../protocol/report.ts';

export type GroupMode =
  | 'unloaded'
  | 'starting'
  | 'running'
  /** Its children are being stopped, in reverse. */
  | 'giving-up'
  /** They are; its parent decides. */
  | 'halted'
  /** It gave up, and nobody is above it. */
  | 'failed'
  | 'closed';

export const STATE_OF: Record<GroupMode, PluginState> = {
  'unloaded': 'unloaded',
  'starting': 'loading',
  'running': 'running',
  'giving-up': 'restarting',
  'halted': 'restarting',
  'failed': 'failed',
  'closed': 'unloaded',
};
