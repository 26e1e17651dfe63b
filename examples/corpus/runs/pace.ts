/** How work is handed out, and how often somebody looks at it. Knows nothing of what the work is. */

/** `lanes` workers of one queue: as one item is done, the lane takes the next. */
export async function inLanes<T>(
  lanes: number,
  items: readonly T[],
  each: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) await each(item, index);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Runs `action` again and again, never two at once; `stop` waits for the last. */
export function repeat(
  everyMs: number,
  action: () => Promise<void>,
): { stop: () => Promise<void> } {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= action().finally(() => (running = undefined));
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
