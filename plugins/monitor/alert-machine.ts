/** How one alert moves: a pure function of where it is, what is seen, and the time. */

export type AlertPhase =
  | { phase: 'ok' }
  | { phase: 'pending'; since: number }
  | { phase: 'firing'; since: number; firedAt: number }
  | { phase: 'resolved'; since: number; firedAt: number; resolvedAt: number };

/**
 * `breached`: out of bounds. `between`: within them, and not yet back at what clears it.
 * `clear`: all is well. `gone`: there is nothing any more that could be out of bounds.
 */
export type Seen = 'breached' | 'between' | 'clear' | 'gone';

/** @param forMs how long it must be out of bounds before it fires. */
export function nextPhase(now: AlertPhase, seen: Seen, at: number, forMs: number): AlertPhase {
  switch (now.phase) {
    case 'ok':
    case 'resolved':
      if (seen === 'breached') return begun(at, at, forMs);
      return { phase: 'ok' };
    case 'pending':
      return seen === 'breached' ? begun(now.since, at, forMs) : { phase: 'ok' };
    case 'firing':
      if (seen === 'breached' || seen === 'between') return now;
      return { ...now, phase: 'resolved', resolvedAt: at };
  }
}

function begun(since: number, at: number, forMs: number): AlertPhase {
  if (at - since >= forMs) return { phase: 'firing', since, firedAt: at };
  return { phase: 'pending', since };
}
