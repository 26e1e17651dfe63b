/** Something that the guest did, or that was asked of it, and that cannot be; as the rest of a sentence. */
export class GuestError extends Error {
  override readonly name = 'GuestError';

  constructor(message: string) {
    super(message);
    guestStack(this);
  }
}

const STACK_LINES_MAX = 40;

/** Keeps of a stack what lies inside the guest: names are those of its name section. */
export function guestStack(error: unknown): void {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return;
  const frames = error.stack.split('\n').filter((line) => line.includes('wasm-function['));
  if (frames.length === 0 && !(error instanceof GuestError)) return;
  const stack = [`${error.name}: ${error.message}`, ...frames.slice(0, STACK_LINES_MAX)].join('\n');
  Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
}
