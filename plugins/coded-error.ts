/** What a bundled plugin throws: a caller gets it as the `cause` of its `CALL_FAILED`, with this code. */
export class CodedError<Code extends string> extends Error {
  /** `<PLUGIN>_<WHAT>`; what a caller branches on. The message is for people, and says what to mend. */
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What a thrown value says. Anything can be thrown, and some of it cannot be shown. */
export function messageOf(error: unknown): string {
  try {
    if (error instanceof Error) return error.message === '' ? error.name : error.message;
    return String(error);
  } catch {
    return 'something that cannot be shown';
  }
}
