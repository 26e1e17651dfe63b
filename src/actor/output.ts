/**
 * What a plugin says: `ctx.log`, and its standard streams, which in a thread would stand still
 * while main is busy and be lost at its end. All of it travels as log frames, bounded in rate.
 */
import type { Logger } from '../plugin.ts';
import { encode, type Payload } from '../protocol/codec.ts';
import { HEADER_BYTES, KIND } from '../protocol/frame.ts';
import { LOG_LINE_CHARS_MAX, RUNTIME_LIMITS } from '../protocol/limits.ts';
import type { LogLevel, LogLine } from '../protocol/report.ts';
import type { Redactor } from '../protocol/wire-error.ts';
import { ByteBudget } from '../transport/byte-budget.ts';
import type { Link } from '../transport/link.ts';

export interface Output {
  log: Logger;
  write(line: LogLine): void;
}

export interface OutputScope {
  link: Link;
  bytesPerSecMax: number;
  redactor: Redactor;
  /** Called after each line: it is to leave soon, also from inside a long call. */
  sent: () => void;
}

export function createOutput({ link, bytesPerSecMax, redactor, sent }: OutputScope): Output {
  const budget = new ByteBudget(bytesPerSecMax);

  const send = (payload: Payload): void => {
    link.tell(KIND.log, 0, payload);
    sent();
  };
  const write = (line: LogLine): void => {
    // once the second's budget is spent, a line costs no more than this question
    if (budget.isSpent()) return;
    const message = redactor.text(line.message).slice(0, LOG_LINE_CHARS_MAX);
    const payload = encodeLine({ ...line, message }, redactor);
    const { fits, dropped } = budget.spend(payload.frame.byteLength - HEADER_BYTES);
    if (!fits) return;
    if (dropped > 0) {
      const told = `${String(dropped)} log lines were dropped: limits.logBytesPerSecMax`;
      send(encodeLine({ level: 'warn', message: told, source: 'log' }, redactor));
    }
    send(payload);
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

function encodeLine(line: LogLine, redactor: Redactor): Payload {
  try {
    return encode({ ...line, fields: redactor.value(line.fields) }, RUNTIME_LIMITS);
  } catch {
    return encode({ ...line, fields: { unsendable: true } }, RUNTIME_LIMITS);
  }
}

function textOf(chunk: unknown): string {
  if (typeof chunk === 'string') return chunk;
  return chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : String(chunk);
}
