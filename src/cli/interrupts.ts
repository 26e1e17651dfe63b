/** Ctrl-C: the first one ends what is under way in good order, a second one ends the process. */
import { performance } from 'node:perf_hooks';
import process from 'node:process';

export const INTERRUPTED = 130;

/** npx passes on the signal that the terminal sends to the command as well: that is one Ctrl-C. */
const SAME_PRESS_MS = 500;

/** @returns what takes the handlers away. */
export function onInterrupt(end: () => void): () => void {
  let firstAt: number | undefined;
  const onSignal = (): void => {
    if (firstAt !== undefined && performance.now() - firstAt > SAME_PRESS_MS)
      process.exit(INTERRUPTED);
    if (firstAt !== undefined) return;
    firstAt = performance.now();
    end();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  };
}
