/**
 * What a process writes to its standard streams past the actor: native code, and the runtime's own
 * last words. It becomes log lines, bounded in rate, and says what a process died of.
 */
import type { Readable } from 'node:stream';

import { LOG_LINE_CHARS_MAX } from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { createRedactor } from '../protocol/redact.ts';
import type { CrashReason, LogLine } from '../protocol/report.ts';
import type { Redactor } from '../protocol/wire-error.ts';
import { ByteBudget } from '../transport/byte-budget.ts';

/** V8 says so before it aborts. */
const OUT_OF_MEMORY = /heap out of memory|Allocation failed|Reached heap limit/;

export class RawOutput {
  readonly #budget: ByteBudget;
  readonly #redactor: Redactor;
  readonly #log: (line: LogLine) => void;
  #isOutOfMemory = false;

  constructor({ limits, secrets }: PluginPlan, log: (line: LogLine) => void) {
    this.#budget = new ByteBudget(limits.logBytesPerSecMax);
    this.#redactor = createRedactor(secrets);
    this.#log = log;
  }

  read(stream: Readable | null, source: 'stdout' | 'stderr'): void {
    let rest = '';
    const lines = (text: string): void => {
      const complete = (rest + text).split('\n');
      rest = this.#cut(complete.pop() ?? '');
      for (const message of complete) this.#line(message, source);
    };
    stream?.setEncoding('utf8').on('data', lines);
    stream?.on('end', () => {
      if (rest) this.#line(rest, source);
    });
  }

  /** Why it ended, where it could not say so itself. */
  causeOf(
    exitCode: number | undefined,
    signal: NodeJS.Signals | null,
  ): { reason: CrashReason; message: string } {
    if (this.#isOutOfMemory) return { reason: 'oom', message: 'its heap is full' };
    if (signal !== null) {
      return { reason: 'killed', message: `the process was ended by ${signal}` };
    }
    return { reason: 'exit', message: `the process exited with code ${String(exitCode)}` };
  }

  #line(text: string, source: 'stdout' | 'stderr'): void {
    const message = this.#cut(text);
    if (source === 'stderr' && OUT_OF_MEMORY.test(message)) this.#isOutOfMemory = true;
    if (message === '' || !this.#budget.spend(Buffer.byteLength(message)).fits) return;
    this.#log({ level: source === 'stdout' ? 'info' : 'error', message, source });
  }

  /** A secret is looked for before the line is cut: half of one would not be found. */
  #cut(text: string): string {
    return this.#redactor.text(text).slice(0, LOG_LINE_CHARS_MAX);
  }
}
