/** Work that is waited for as long as it may take, and no longer. */
import { ToolError } from './tool-error.ts';

export interface Bounds {
  timeoutMs: number;
  /** Of the caller. */
  signal: AbortSignal;
  /** Default `TOOL_TIMEOUT`. */
  timeoutCode?: string;
  /** What to say when the time is over. */
  timeoutMessage: string;
}

/** What work is handed. */
export interface Slot {
  signal: AbortSignal;
  /** Throws once the time is over, also inside a loop that lets no timer run. */
  check: () => void;
}

/**
 * Settles as the work does, or when the time is over, or the caller gave up. Then
 * the work is told by its signal, and goes on alone if it does not listen; `left` hears of that.
 */
export async function bounded<T>(
  { timeoutMs, signal: outer, timeoutCode = 'TOOL_TIMEOUT', timeoutMessage }: Bounds,
  work: (slot: Slot) => T | Promise<T>,
  left: (work: Promise<unknown>) => void = () => undefined,
): Promise<T> {
  const controller = new AbortController();
  const endsAt = performance.now() + timeoutMs;
  const timeout = (): ToolError => new ToolError(timeoutCode, timeoutMessage);
  const slot: Slot = {
    signal: controller.signal,
    check: () => {
      if (performance.now() > endsAt) controller.abort(timeout());
      controller.signal.throwIfAborted();
    },
  };
  const giveUp = (): void => controller.abort(outer.reason);
  outer.throwIfAborted();
  outer.addEventListener('abort', giveUp, { once: true });
  const timer = setTimeout(() => controller.abort(timeout()), timeoutMs);
  let isDone = false;
  const run = (async () => work(slot))().finally(() => {
    isDone = true;
  });
  try {
    return await Promise.race([run, aborted(controller.signal)]);
  } catch (error) {
    // work that noticed the signal says so in its own words
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', giveUp);
    if (controller.signal.aborted && !isDone) left(run.catch(() => undefined));
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.throwIfAborted();
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
