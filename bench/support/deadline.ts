/** Nobody who hangs may hold up the others. */
export async function within<T>(
  timeoutMs: number,
  promise: Promise<T>,
  otherwise = 'no answer',
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${otherwise} within ${String(timeoutMs / 1_000)} s`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
