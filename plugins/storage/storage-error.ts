/** What the storage plugin throws. */
import { CodedError } from '../coded-error.ts';

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

export class StorageError extends CodedError<StorageErrorCode> {
  override readonly name = 'StorageError';
}
