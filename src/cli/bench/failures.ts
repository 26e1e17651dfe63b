/** What went wrong with calls, and one example of each code that tells why. */
import { PluginError } from '../../index.ts';
import { messageOf } from '../cli-error.ts';

export class Failures {
  readonly #examples = new Map<string, string>();

  /** Keeps the first of its code. @returns the code. */
  add(error: unknown): string {
    const code = error instanceof PluginError ? error.code : 'UNKNOWN';
    if (!this.#examples.has(code)) this.#examples.set(code, exampleOf(error));
    return code;
  }

  exampleOf(code: string): string {
    return this.#examples.get(code) ?? '';
  }
}

/** What the plugin threw says more than that it threw. */
function exampleOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : { cause: undefined };
  const thrown = cause instanceof Error ? `${cause.name}: ${cause.message}` : undefined;
  const message = messageOf(error);
  return thrown === undefined || message.includes(messageOf(cause))
    ? message
    : `${message} (${thrown})`;
}
