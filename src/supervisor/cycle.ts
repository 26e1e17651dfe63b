/** A call that comes back to a plugin that waits for it would wait for ever. */
import { PluginError } from '../protocol/errors.ts';
import type { Call, CallOwner } from './call.ts';

/** Whether the call on whose behalf another is made, or one above it, is inside this actor. */
export function isAwaitedBy(owner: CallOwner, parent: Call | undefined): boolean {
  if (owner.concurrency > 1) return false;
  for (let call = parent; call; call = call.request.parent) {
    if (call.owner === owner && !call.settled) return true;
  }
  return false;
}

export function cycleError(pluginId: string, parent: Call | undefined): PluginError {
  const chain = [pluginId];
  for (let call = parent; call; call = call.request.parent) {
    chain.unshift(call.owner.pluginId);
    if (call.owner.pluginId === pluginId) break;
  }
  return new PluginError(
    'CALL_CYCLE',
    `the call would come back to ${pluginId}, which waits for it: ${chain.join(' → ')}; raise its concurrency or break the cycle`,
    { pluginId, data: { chain } },
  );
}
