/** Keys of entries in LMDB, `[length of the namespace, 2][namespace][key]`, and of what expires. */

const LENGTH_BYTES = 2;
const TIME_BYTES = 8;
/** No byte of UTF-8. */
const BEHIND_ALL = Buffer.from([0xff]);

export function entryKey(namespace: string, key: string): Buffer {
  const namespaceBytes = Buffer.byteLength(namespace);
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + namespaceBytes + Buffer.byteLength(key));
  bytes.writeUInt16BE(namespaceBytes);
  bytes.write(namespace, LENGTH_BYTES);
  bytes.write(key, LENGTH_BYTES + namespaceBytes);
  return bytes;
}

/** Behind every key of the namespace. */
export function namespaceEnd(namespace: string): Buffer {
  return Buffer.concat([entryKey(namespace, ''), BEHIND_ALL]);
}

export function fromEntryKey(bytes: Buffer): { namespace: string; key: string } {
  const at = LENGTH_BYTES + bytes.readUInt16BE();
  return { namespace: bytes.toString('utf8', LENGTH_BYTES, at), key: bytes.toString('utf8', at) };
}

/** In the index of what expires, the earliest first: the bits of positive doubles are in their order. */
export function expiryKey(expiresAt: number, key: Buffer): Buffer {
  const all = Buffer.allocUnsafe(TIME_BYTES + key.byteLength);
  all.writeDoubleBE(expiresAt);
  all.set(key, TIME_BYTES);
  return all;
}

/** Behind everything that has expired by then. */
export function expiredEnd(now: number): Buffer {
  return expiryKey(now, BEHIND_ALL);
}

export function fromExpiryKey(bytes: Buffer): { namespace: string; key: string } {
  return fromEntryKey(bytes.subarray(TIME_BYTES));
}
