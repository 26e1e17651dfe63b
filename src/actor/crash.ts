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

export function installCrashHandlers(link: Link, redactor: Redactor): LastWords {
  const exit = process.exit.bind(process);
  const die = (kind: number, error: unknown): never => {
    link.tell(KIND.crash, kind, encode(toWireError(error, redactor), RUNTIME_LIMITS));
    link.flush();
    return exit(1);
  };
  process.on('uncaughtException', (error) => die(CRASH_KIND.uncaught, error));
  process.on('unhandledRejection', (error) => die(CRASH_KIND['unhandled-rejection'], error));
  // results of calls that ended before the plugin left are still in the outbox
  process.on('exit', () => {
    link.flush();
  });
  return {
    crash: (error) => die(CRASH_KIND.uncaught, error),
    exit: (reason) => {
      link.tell(KIND.exit, 0, encode({ reason }, RUNTIME_LIMITS));
      link.flush();
      return exit(0);
    },
  };
}
