/** Takes a call back from an actor that has not begun it: another one can have it, or nobody. */
import { CANCEL_REASON, KIND } from '../protocol/frame.ts';
import type { CallTarget } from './call-target.ts';
import { movesBuffers, type Call } from './call.ts';

/**
 * @param skipped called when the actor has let go of it.
 * @returns false where it has begun, as all before it have; or may have.
 */
export function recall(call: Call, { board, link }: CallTarget, skipped: () => void): boolean {
  const { address } = call;
  if (!address || board.hasBegun(address.number)) return false;
  const { slot, number } = address;
  if (!board.recall(slot, number)) {
    // it slipped in: it runs, or the actor has seen that it was to come back, and skips it
    call.slipped = true;
    return false;
  }
  link.replace(address, {
    onReply: () => {
      board.recallSettled(slot, number);
      skipped();
    },
  });
  link.signal(KIND.cancel, address, CANCEL_REASON.abort);
  return true;
}

/** Of the calls at an actor those that may be taken back; the one that was sent last comes first. */
export function recallable(sent: Iterable<Call>, mayGo: (call: Call) => boolean): Call[] {
  return [...sent]
    .filter((call) => !call.settled && !movesBuffers(call.request.payload) && mayGo(call))
    .toSorted((a, b) => ((b.address?.number ?? 0) - (a.address?.number ?? 0)) | 0);
}
