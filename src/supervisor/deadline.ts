/** Waiting with a limit: nothing here waits on a plugin without one. */

export const TIMED_OUT = Symbol('timed out');

/** The promise's outcome, or {@link TIMED_OUT}. Whichever loses is ignored, but never unhandled. */
export async function within<T>(
  promise: Promise<T>,
  timeoutMs: number,
): Promise<T | typeof TIMED_OUT> {
  promise.catch(() => undefined);
  let handle: NodeJS.Timeout | undefined;
  const timeout = new Promise<typeof TIMED_OUT>((resolve) => {
    handle = setTimeout(resolve, timeoutMs, TIMED_OUT);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(handle);
  }
}
