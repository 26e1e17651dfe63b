/**
 * A thread is ended outside of its sections (`ctx.uninterrupted`): add-ons take it badly inside. It
 * begins none from then on, and the one it is in takes microseconds, or has had its time.
 */
import { SECTION_END_MS } from '../protocol/limits.ts';
import type { SignalBoard } from '../protocol/signal-board.ts';

const LOOK_MS = 1;

/** Calls `end`: at once, or where a thread is inside a section, when that is over. */
export function afterSection(boards: readonly SignalBoard[], end: () => void): void {
  for (const board of boards) board.seal();
  const until = performance.now() + SECTION_END_MS;
  const look = (): void => {
    const isInside = boards.some((board) => board.isInSection());
    // a thread that is gone meanwhile keeps nobody
    if (isInside && performance.now() < until) setTimeout(look, LOOK_MS).unref();
    else end();
  };
  look();
}
