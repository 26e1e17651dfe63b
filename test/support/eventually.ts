/** Waiting for what is true soon, without sleeping for a guessed time. */

const LOOK_EVERY_MS = 10;
const PATIENCE_MS = 8_000;

/** Runs `check` until it does not throw; what it threw last is thrown when the time is up. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** The promise's outcome, or a clear error instead of the test's own timeout. */
export async function soon<T>(promise: Promise<T>, timeoutMs = PATIENCE_MS): Promise<T> {
  let handle: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    handle = setTimeout(() => {
      reject(new Error(`nothing happened for ${String(timeoutMs)} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(handle);
  }
}
