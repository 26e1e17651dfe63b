/** What the llm plugin throws. */
import { CodedError } from '../coded-error.ts';

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

interface LlmErrorOptions extends ErrorOptions {
  /** Asking again may help. */
  isRetryable?: boolean;
  /** How long the server wants to be left alone. */
  retryAfterMs?: number | undefined;
}

export class LlmError extends CodedError<LlmErrorCode> {
  override readonly name = 'LlmError';
  readonly isRetryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: LlmErrorCode, message: string, options: LlmErrorOptions = {}) {
    super(code, message, options);
    this.isRetryable = options.isRetryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
