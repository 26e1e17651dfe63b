/** Errors of a VM, as the thread tells them, and those of the thread, as a VM may see them. */
import type { JSException } from 'quickjs-wasi';

/** The engine would show the thread's own stack to the script. */
export function withoutStack<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error) Object.defineProperty(error, 'stack', { value: '' });
    throw error;
  }
}

export function isJobError(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith('Job execution error');
}

/** An error that the script threw past everything, or the engine of it. */
export function scriptError(thrown: JSException): Error {
  const { name, message, stack = '' } = thrown;
  thrown.dispose();
  const at =
    name === 'SyntaxError' ? /^\s*at (?:\S+ \()?([^()\s]+:\d+:\d+)/.exec(stack)?.[1] : undefined;
  const error = new Error(at === undefined ? message : `${at}: ${message}`);
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  return withFrames(error, stack);
}

export function stoppedAt(stopped: Error, thrown: JSException): Error {
  const { stack = '' } = thrown;
  thrown.dispose();
  return withFrames(stopped, stack);
}

function withFrames(error: Error, frames: string): Error {
  const shown = frames.trimEnd() === '' ? '' : `\n${frames.trimEnd()}`;
  const stack = `${error.name}: ${error.message}${shown}`;
  Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  return error;
}
