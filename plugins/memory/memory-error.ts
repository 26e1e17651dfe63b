/** What the memory refuses, by code: the `cause` of the caller's `CALL_FAILED`. */

export type MemoryErrorCode =
  /** Unknown op, or a field that is wrong, missing or unknown. */
  | 'INVALID_INPUT'
  | 'INVALID_FILTER'
  /** Nothing in it can be searched for. */
  | 'INVALID_QUERY'
  /** Text or metadata beyond the bounds. */
  | 'ENTRY_TOO_LARGE'
  | 'ENTRY_NOT_FOUND'
  | 'NO_EMBEDDER'
  | 'EMBEDDER_FAILED'
  /** What the embedder gave is no vector, or has another length than those that are there. */
  | 'VECTOR_INVALID'
  | 'STORAGE_FAILED'
  /** The module of a token counter gave no number. */
  | 'TOKENIZER_FAILED';

export class MemoryError extends Error {
  override readonly name = 'MemoryError';
  readonly code: MemoryErrorCode;

  constructor(code: MemoryErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
