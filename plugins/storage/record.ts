/** An entry as LMDB and Redis have it: `[expires at, 8][value]`; 0 is never. */
import type { StoredEntry } from './backend.ts';

const TIME_BYTES = 8;

export function record({ bytes, expiresAt = 0 }: StoredEntry): Buffer {
  const all = Buffer.allocUnsafe(TIME_BYTES + bytes.byteLength);
  all.writeDoubleBE(expiresAt);
  all.set(bytes, TIME_BYTES);
  return all;
}

/** Something shorter, which somebody else wrote, is an entry with no value that can be read. */
export function fromRecord(bytes: Buffer): StoredEntry {
  if (bytes.byteLength < TIME_BYTES) return { bytes: bytes.subarray(0, 0), expiresAt: undefined };
  const expiresAt = bytes.readDoubleBE();
  return { bytes: bytes.subarray(TIME_BYTES), expiresAt: expiresAt === 0 ? undefined : expiresAt };
}
