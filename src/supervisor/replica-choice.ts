/** Which replica a call goes to. Pure. */
import { mixed } from '../protocol/affinity.ts';

/** A replica, as far as a choice needs to know it. */
export interface Candidate {
  readonly replica: number;
  /** Takes calls. */
  readonly isOpen: boolean;
  /** Runs them, too; one that is paused or restarting only keeps them. */
  readonly isRunning: boolean;
  /** Calls at it that are not done. */
  readonly load: number;
}

/**
 * The one with the fewest calls among those that run; among those that keep calls where none
 * runs. Of equals the first from position `from` on.
 */
export function leastLoaded<T extends Candidate>(
  candidates: readonly T[],
  from: number,
  suits: (candidate: T) => boolean = () => true,
): T | undefined {
  let best: T | undefined;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[(from + i) % candidates.length];
    if (!candidate?.isOpen || !suits(candidate)) continue;
    if (!best || isBetter(candidate, best)) best = candidate;
  }
  return best;
}

function isBetter(one: Candidate, than: Candidate): boolean {
  if (one.isRunning !== than.isRunning) return one.isRunning;
  return one.load < than.load;
}

/**
 * Rendezvous hashing: each replica has a score for the key, the highest wins. So when one comes
 * or goes, only the keys that it gets or had change their place.
 */
export function keyedTo<T extends Pick<Candidate, 'replica' | 'isOpen'>>(
  affinity: number,
  candidates: readonly T[],
): T | undefined {
  let best: T | undefined;
  let highest = -1;
  for (const candidate of candidates) {
    if (!candidate.isOpen) continue;
    const score = mixed(mixed(affinity) ^ Math.imul(candidate.replica + 1, GOLDEN));
    if (score <= highest) continue;
    best = candidate;
    highest = score;
  }
  return best;
}

/** 2 to the 32 over the golden ratio: neighbours lie far from each other. */
const GOLDEN = 0x9e37_79b9;
