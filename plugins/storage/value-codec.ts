/** Values as bytes. V8's own format knows every kind of value that the bus carries; see decision 0018. */
import { isDeepStrictEqual } from 'node:util';
import { deserialize, serialize } from 'node:v8';

import { messageOf } from '../coded-error.ts';
import { VALUE_BYTES_MAX } from './limits.ts';
import { StorageError } from './storage-error.ts';
import { isWithErrors, revived, withErrors } from './value-errors.ts';

/** Before a value with errors; V8's own format begins with 0xff. */
const WITH_ERRORS = 1;

/** Where a value is kept, as messages are to name it. */
export interface Place {
  readonly namespace: string;
  readonly key: string;
}

export function encodeValue(value: unknown, place: Place): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = serialize(value);
    const kept = withErrors(value, bytes.byteLength);
    if (kept) bytes = Buffer.concat([Buffer.of(WITH_ERRORS), serialize(kept)]);
  } catch (error) {
    throw new StorageError(
      'STORAGE_VALUE_INVALID',
      `the value of ${shown(place)} cannot be stored: ${messageOf(error)}`,
      { cause: error },
    );
  }
  if (bytes.byteLength > VALUE_BYTES_MAX) {
    throw new StorageError(
      'STORAGE_VALUE_TOO_LARGE',
      `the value of ${shown(place)} has ${String(bytes.byteLength)} bytes, at most ${String(VALUE_BYTES_MAX)} can be stored: split it over several keys`,
    );
  }
  return bytes;
}

export function decodeValue(bytes: Uint8Array, place: Place): unknown {
  try {
    if (bytes[0] !== WITH_ERRORS) return deserialize(bytes) as unknown;
    const kept: unknown = deserialize(bytes.subarray(1));
    if (!isWithErrors(kept)) throw new TypeError('there is no value in it');
    return revived(kept);
  } catch (error) {
    throw new StorageError(
      'STORAGE_CORRUPT',
      `what is stored at ${shown(place)} is no value: it was written by something else, or by a newer Node; put it again, delete it, or scan past it with unreadable: 'skip'`,
      { cause: error },
    );
  }
}

/** One value has several encodings (a number, for example, as integer or as double). */
export function areSameValue(one: Uint8Array, other: Uint8Array, place: Place): boolean {
  return (
    Buffer.compare(one, other) === 0 ||
    isDeepStrictEqual(decodeValue(one, place), decodeValue(other, place))
  );
}

/** A key as messages show it. */
export function named(key: string): string {
  return JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key);
}

function shown({ namespace, key }: Place): string {
  return `${named(key)} in the namespace ${named(namespace)}`;
}
