/** `ctx.uninterrupted`: short native work in which the thread is not ended. */
import type { PluginContext } from '../plugin.ts';
import type { SignalBoard } from '../protocol/signal-board.ts';
import { isThenable } from './thenable.ts';

/** @param board of a thread; a process is ended by the system, which no code of it notices. */
export function uninterruptedOn(
  board: SignalBoard | undefined,
  pluginId: string,
): PluginContext['uninterrupted'] {
  let depth = 0;
  return (work) => {
    if (depth === 0) board?.enterSection();
    depth++;
    let result;
    try {
      result = work();
    } finally {
      depth--;
      if (depth === 0) board?.leaveSection();
    }
    if (!isThenable(result)) return result;
    // what is thrown here is what went wrong
    Promise.resolve(result).catch(() => undefined);
    throw new TypeError(
      `plugin ${pluginId}: the function given to ctx.uninterrupted returned a promise, and may only do synchronous work: await outside of it`,
    );
  };
}
