/** What becomes of a call that had begun when its life ended. */
import { PluginError } from '../protocol/errors.ts';
import { FLAG } from '../protocol/frame.ts';
import { movesBuffers, type Call } from './call.ts';

/** @param redeliver how often at most, beside the first time. */
export function mayRedeliver(call: Call, redeliver: number): boolean {
  const repeatable = isIdempotent(call) && !movesBuffers(call.request.payload);
  return repeatable && call.chunks === 0 && call.deliveries <= redeliver;
}

/** It was delivered as often as allowed, and its plugin died of it each time. */
export function isPoison(call: Call, redeliver: number): boolean {
  return isIdempotent(call) && call.deliveries > redeliver;
}

/** What ended the life, as one of its begun calls is told. */
export function begunError(
  { id: callId, owner, deliveries }: Call,
  { code, message, data, cause }: PluginError,
  deadLetter: boolean,
): PluginError {
  const { pluginId } = owner;
  const about = { ...data, deliveries, deadLetter };
  return new PluginError(code, message, { pluginId, callId, data: about, cause });
}

function isIdempotent({ request }: Call): boolean {
  return (request.flags & FLAG.idempotent) !== 0;
}
