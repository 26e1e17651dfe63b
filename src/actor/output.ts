/**
 * What a plugin says: `ctx.log`, and its standard streams, which in a thread would stand still
 * while main is busy and be lost at its end. All of it travels as log frames, bounded in rate.
 */
import type { Logger } from '../plugin.ts';
import { encode } from '../protocol/codec.ts';
import { KIND } from '../protocol/frame.ts';
import { LOG_LINE_CHARS_MAX, type Limits } from '../protocol/limits.ts';
import type { LogLevel, LogLine } from '../protocol/report.ts';
import type { Link } from '../transport/link.ts';

export interface Output {
  log: Logger;
  write(line: LogLine): void;
}

export function createOutput(link: Link, limits: Limits, sent: () => void): Output {
  const budget = createBudget(limits.logBytesPerSecMax);

  const send = (line: LogLine): void => {
    link.tell(KIND.log, 0, encodeLine(line, limits));
    sent();
  };
  const write = (line: LogLine): void => {
    const message = line.message.slice(0, LOG_LINE_CHARS_MAX);
    const verdict = budget.spend(message.length);
    if (!verdict.fits) return;
    if (verdict.dropped > 0) {
      const dropped = `${String(verdict.dropped)} log lines were dropped: limits.logBytesPerSecMax`;
      send({ level: 'warn', message: dropped, source: 'log' });
    }
    send({ ...line, message });
  };
  const at =
    (level: LogLevel) =>
    (message: string, fields?: Record<string, unknown>): void => {
      write({ level, message: textOf(message), fields, source: 'log' });
    };
  return {
    write,
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
  };
}

/** From now on what the plugin prints is a log line. */
export function captureStandardStreams(output: Output): void {
  for (const source of ['stdout', 'stderr'] as const) {
    const level: LogLevel = source === 'stdout' ? 'info' : 'error';
    let rest = '';
    const write = (chunk: unknown, ...more: unknown[]): boolean => {
      const lines = (rest + textOf(chunk)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LOG_LINE_CHARS_MAX) {
        lines.push(rest);
        rest = '';
      }
      for (const message of lines) output.write({ level, message, source });
      const done = more.find((item) => typeof item === 'function');
      if (done) queueMicrotask(() => void Reflect.apply(done, undefined, []));
      return true;
    };
    process[source].write = write;
  }
}

function encodeLine(line: LogLine, limits: Limits): ReturnType<typeof encode> {
  try {
    return encode(line, limits);
  } catch {
    return encode({ ...line, fields: { unsendable: true } }, limits);
  }
}

function textOf(chunk: unknown): string {
  if (typeof chunk === 'string') return chunk;
  return chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : String(chunk);
}

/** A budget of characters for each second, refilled at once when a new one begins. */
function createBudget(perSecond: number) {
  let windowStart = 0;
  let left = perSecond;
  let dropped = 0;
  return {
    spend(amount: number): { fits: boolean; dropped: number } {
      const now = performance.now();
      if (now - windowStart >= 1_000) {
        windowStart = now;
        left = perSecond;
      }
      if (amount > left) {
        dropped++;
        return { fits: false, dropped };
      }
      left -= amount;
      const before = dropped;
      dropped = 0;
      return { fits: true, dropped: before };
    },
  };
}
