/** What plugins say, for a program that does not listen: one line each on stderr. */
import { inspect } from 'node:util';

import type { KernelEvent, KernelEvents } from './kernel-events.ts';

/** Prints until the program listens to `log` events itself. */
export function printLogs(events: KernelEvents): void {
  let listening = false;
  events.onAny((event) => {
    listening ||= events.hasListeners('log');
    const line = listening ? undefined : lineOf(event);
    if (line !== undefined) process.stderr.write(`[${nameOf(event)}] ${line}\n`);
  });
}

/** `counter`, or `counter/1` for its replica 1. */
function nameOf({ id, replica }: KernelEvent): string {
  return replica === undefined ? id : `${id}/${String(replica)}`;
}

function lineOf(event: KernelEvent): string | undefined {
  switch (event.type) {
    case 'log':
      return `${event.level === 'info' ? '' : `${event.level}: `}${event.message}${fieldsOf(event)}`;
    case 'crashed': {
      const { reason, message, error } = event.crash;
      return `crashed (${reason}): ${error?.stack ?? message}`;
    }
    case 'gave-up':
      return `gave up restarting (${event.why})`;
    case 'warning':
      return `warning: ${event.message}`;
    default:
      return undefined;
  }
}

function fieldsOf({ fields }: KernelEvent<'log'>): string {
  if (!fields || Object.keys(fields).length === 0) return '';
  try {
    return ` ${JSON.stringify(fields, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))}`;
  } catch {
    // cycles
    return ` ${inspect(fields, { breakLength: Infinity })}`;
  }
}
