/** Waiting for at most a time. */

export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** @throws TimeoutError when the time is up; what is waited for goes on. */
export async function within<T>(work: T | Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TimeoutError(`no answer within ${String(timeoutMs)} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
