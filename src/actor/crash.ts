/**
 * The actor's last words. Our handlers are installed before any code of the plugin's and end the
 * thread at once, so a plugin that listens for its own uncaught errors cannot live on.
 */
import { encode } from '../protocol/codec.ts';
import { CRASH_KIND, KIND } from '../protocol/frame.ts';
import { RUNTIME_LIMITS } from '../protocol/limits.ts';
import { toWireError, type Redactor } from '../protocol/wire-error.ts';
import type { Link } from '../transport/link.ts';

export interface LastWords {
  /** Reports the error and ends the thread. */
  crash(error: unknown): never;
  /** Ends the thread on purpose. */
  exit(reason: 'normal' | 'shutdown'): never;
}

type ExitCode = Parameters<typeof process.exit>[0];

export function installCrashHandlers(link: Link, redactor: Redactor): LastWords {
  const reallyExit = process.exit.bind(process);
  let isExiting = false;
  const exit = (exitCode?: ExitCode): never => {
    // what is waited for elsewhere is not the end of the thread, but to know of it. Node itself
    // comes here after the `exit` event, with an error that is on its way by another port
    if (!isExiting) link.tell(KIND.gone, Number(exitCode ?? process.exitCode ?? 0) >>> 0);
    link.flush();
    return reallyExit(exitCode);
  };
  process.exit = exit;
  const die = (kind: number, error: unknown): never => {
    link.tell(KIND.crash, kind, encode(toWireError(error, redactor), RUNTIME_LIMITS));
    return exit(1);
  };
  process.on('uncaughtException', (error) => die(CRASH_KIND.uncaught, error));
  process.on('unhandledRejection', (error) => die(CRASH_KIND['unhandled-rejection'], error));
  // results of calls that ended before the plugin left are still in the outbox
  process.on('exit', () => {
    isExiting = true;
    link.flush();
  });
  return {
    crash: (error) => die(CRASH_KIND.uncaught, error),
    exit: (reason) => {
      link.tell(KIND.exit, 0, encode({ reason }, RUNTIME_LIMITS));
      return exit(0);
    },
  };
}
