/** An entry as LMDB and Redis have it: `[expires at, 8][value]`; 0 is never. */
import type { StoredEntry } from './backend.ts';

const TIME_BYTES = 8;

export function record({ bytes, expiresAt = 0 }: StoredEntry): Buffer {
  const all = Buffer.allocUnsafe(TIME_BYTES + bytes.byteLength);
  all.writeDoubleBE(expiresAt);
  all.set(bytes, TIME_BYTES);
  return all;
}

export function fromRecord(bytes: Buffer): StoredEntry {
  const expiresAt = bytes.readDoubleBE();
  return { bytes: bytes.subarray(TIME_BYTES), expiresAt: expiresAt === 0 ? undefined : expiresAt };
}
