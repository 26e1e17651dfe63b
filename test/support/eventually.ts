/** Waiting for what must come, without guessing how long it takes. */

const ASK_AGAIN_MS = 5;

/**
 * Asks until `claim` holds (does not throw, and is not `false`), and gives what it gave. When the
 * time is up it throws what the last attempt threw. Needs the real clock.
 */
export async function eventually<T>(
  claim: () => T | Promise<T>,
  { withinMs = 30_000 }: { withinMs?: number } = {},
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      const outcome = await claim();
      if (outcome !== false) return outcome;
      if (performance.now() > until) throw new Error('it stayed false');
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, ASK_AGAIN_MS);
    });
  }
}
