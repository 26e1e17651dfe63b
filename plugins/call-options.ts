/** Methods of handles take the fields of an op and the options of the call in one object. */
import type { ExecuteOptions } from 'troupe';

/** The fields of the op: options of the call itself do not belong into its input. */
export function fieldsOf<T extends ExecuteOptions>(
  options: T | undefined,
): Omit<T, keyof ExecuteOptions> {
  const {
    signal: _signal,
    timeoutMs: _timeoutMs,
    idempotent: _idempotent,
    transfer: _transfer,
    affinity: _affinity,
    ...fields
  } = { ...options } as T;
  return fields;
}
