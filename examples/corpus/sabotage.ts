/**
 * What goes wrong on purpose in the run with faults, both for real: an error that nobody catches,
 * and a loop that nothing inside the thread can stop. Runs in plugin threads only.
 */

const CRASH_AFTER_MS = 5;

/** The call stays open until the error, thrown outside of it, takes the whole thread down. */
export function crashFromTimer(): Promise<never> {
  setTimeout(() => {
    throw new Error('thrown on purpose, in a timer');
  }, CRASH_AFTER_MS);
  return new Promise<never>(() => {});
}

/** Never returns, never looks at a checkpoint. */
export function loopForever(): never {
  for (;;);
}
