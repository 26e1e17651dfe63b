/** What a command tells its user in one line, without a stack. Anything else thrown is a fault of ours. */

/** 1: it was tried and did not go well. 2: it was not tried, for what was asked for makes no sense. */
export type FailureCode = 1 | 2;

export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: FailureCode;

  constructor(exitCode: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export function usageError(message: string, cause?: unknown): CliError {
  return new CliError(2, message, { cause });
}

export function failure(message: string, cause?: unknown): CliError {
  return new CliError(1, message, { cause });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
