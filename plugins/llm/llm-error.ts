/** What an llm plugin throws: told to the caller as the `cause` of a `CALL_FAILED`, by its `code`. */

export type LlmErrorCode =
  | 'LLM_NOT_CONFIGURED'
  | 'LLM_NO_PROVIDER'
  | 'LLM_NO_MODEL'
  | 'LLM_INVALID_INPUT'
  | 'LLM_UNREACHABLE'
  | 'LLM_TIMEOUT'
  | 'LLM_UNAUTHORIZED'
  | 'LLM_RATE_LIMITED'
  | 'LLM_REFUSED'
  | 'LLM_SERVER_ERROR'
  | 'LLM_BAD_RESPONSE'
  | 'LLM_DISCONNECTED'
  | 'LLM_RESPONSE_TOO_LARGE'
  | 'LLM_BAD_OBJECT'
  | 'LLM_TOO_MANY_STEPS'
  | 'LLM_NO_TOOLS';

interface LlmErrorOptions {
  /** Asking again may help. */
  isRetryable?: boolean;
  /** How long the server wants to be left alone. */
  retryAfterMs?: number | undefined;
}

export class LlmError extends Error {
  override readonly name = 'LlmError';
  readonly code: LlmErrorCode;
  readonly isRetryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: LlmErrorCode, message: string, options: LlmErrorOptions = {}) {
    super(message);
    this.code = code;
    this.isRetryable = options.isRetryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
