/** What the memory plugin throws. */
import { CodedError } from '../coded-error.ts';

export type MemoryErrorCode =
  /** Unknown op, or a field that is wrong, missing or unknown. */
  | 'MEMORY_INVALID_INPUT'
  | 'MEMORY_INVALID_FILTER'
  /** Nothing in it can be searched for. */
  | 'MEMORY_INVALID_QUERY'
  /** Text or metadata beyond the bounds. */
  | 'MEMORY_ENTRY_TOO_LARGE'
  | 'MEMORY_ENTRY_NOT_FOUND'
  | 'MEMORY_NO_EMBEDDER'
  | 'MEMORY_EMBEDDER_FAILED'
  /** What the embedder gave is no vector, or has another length than those that are there. */
  | 'MEMORY_VECTOR_INVALID'
  | 'MEMORY_STORAGE_FAILED'
  /** The module of a token counter gave no number. */
  | 'MEMORY_TOKENIZER_FAILED';

export class MemoryError extends CodedError<MemoryErrorCode> {
  override readonly name = 'MemoryError';
}
