/** Finds out how a life ended, from what was heard before it did, and tells it once. */
import { TERMINATE_FAULTY_MS, TERMINATE_TIMEOUT_MS } from '../protocol/limits.ts';
import type { CrashReason } from '../protocol/report.ts';
import { fromWireError, toWireError } from '../protocol/wire-error.ts';
import type { Death } from './life.ts';

export class Obituary {
  readonly died: Promise<Death>;
  readonly #end: (message: string) => void;
  #tell: (death: Death) => void = () => undefined;
  #leaving: NodeJS.Timeout | undefined;
  #isOver = false;
  #reason: Death['reason'] | undefined;
  #message: string | undefined;
  #error: Error | undefined;

  /** @param end ends a life that should have ended by itself. */
  constructor(end: (message: string) => void) {
    this.#end = end;
    this.died = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  /** We end it. What it said of itself before stays. */
  expect(reason: CrashReason | 'asked', message?: string): void {
    this.#reason ??= reason;
    this.#message ??= message;
  }

  /** It has cut itself off, as at its end: it is ended if that does not come. */
  leaving(message: string): void {
    if (this.#isOver) return;
    this.#leaving ??= setTimeout(() => {
      this.#end(message);
    }, TERMINATE_TIMEOUT_MS);
  }

  heard(reason: Death['reason'], error?: unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    if (error === undefined) return;
    this.#error = error instanceof Error ? error : fromWireError(toWireError(error));
    this.#message = this.#error.message;
  }

  /** It is gone. @param otherwise what that means where nothing was heard before. */
  close(exitCode: number | undefined, otherwise: { reason: CrashReason; message: string }): void {
    this.#close(exitCode, otherwise, undefined);
  }

  /** It is being ended: if it is not gone in time, it is left behind, and `leave` says until when. */
  closeInTime(reason: CrashReason | 'asked', leave: () => Promise<void>): void {
    const limitMs = reason === 'asked' ? TERMINATE_TIMEOUT_MS : TERMINATE_FAULTY_MS;
    const late = setTimeout(() => {
      this.#close(undefined, { reason: 'hang', message: 'it did not end' }, leave());
    }, limitMs);
    void this.died.then(() => {
      clearTimeout(late);
    });
  }

  #close(
    exitCode: number | undefined,
    otherwise: { reason: CrashReason; message: string },
    zombie: Promise<void> | undefined,
  ): void {
    this.#isOver = true;
    clearTimeout(this.#leaving);
    const reason = this.#reason ?? otherwise.reason;
    const message = this.#message ?? otherwise.message;
    this.#tell({ reason, message, exitCode, error: this.#error, zombie });
  }
}
