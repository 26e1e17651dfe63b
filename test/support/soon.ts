/** The promise's outcome, or a clear error instead of the test's own timeout. */
const PATIENCE_MS = 30_000;

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
