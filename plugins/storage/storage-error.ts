/** What the plugin throws; a caller gets it as the `cause` of a `CALL_FAILED`, with this `code`. */

export type StorageErrorCode =
  | 'STORAGE_INVALID_INPUT'
  | 'STORAGE_KEY_TOO_LONG'
  | 'STORAGE_VALUE_INVALID'
  | 'STORAGE_VALUE_TOO_LARGE'
  | 'STORAGE_SCAN_TOO_LONG'
  | 'STORAGE_FULL'
  | 'STORAGE_CORRUPT'
  | 'STORAGE_UNAVAILABLE'
  | 'STORAGE_FAILED'
  | 'STORAGE_BACKUP_UNSUPPORTED'
  | 'STORAGE_BACKUP_FAILED'
  | 'STORAGE_BACKEND_INVALID';

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
