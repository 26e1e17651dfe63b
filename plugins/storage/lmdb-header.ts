/**
 * Looks at the first pages of an LMDB file before it is opened. A file that is cut off is mapped
 * into memory all the same, and reading behind its end kills the whole process.
 */
import { open } from 'node:fs/promises';

const MAGIC = 0xbe_ef_c0_de;
/** Of a page with meta data, in LMDB's data format 2. */
const AT = { magic: 24, version: 28, pageBytes: 48, lastPage: 144, transaction: 152 };
const META_BYTES = 160;
const FORMAT = 2;
/** Where the second page may begin. */
const PAGE_BYTES = [4_096, 8_192, 16_384, 32_768, 65_536];

interface Meta {
  pageBytes: number;
  lastPage: bigint;
  transaction: bigint;
}

/** What is wrong with the file; `undefined` where nothing is seen to be, or there is no file. */
export async function faultOf(path: string): Promise<string | undefined> {
  let file;
  try {
    file = await open(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    if (size === 0) return undefined;
    const head = Buffer.alloc(Math.max(...PAGE_BYTES) + META_BYTES);
    const { bytesRead } = await file.read(head, 0, head.byteLength, 0);
    return faultOfHead(head.subarray(0, bytesRead), size);
  } finally {
    await file.close();
  }
}

export function faultOfHead(head: Buffer, fileBytes: number): string | undefined {
  const metas = [0, ...PAGE_BYTES]
    .map((at) => metaAt(head, at))
    .filter((meta) => meta !== undefined);
  if (metas.length === 0) return 'it is not an LMDB file of this format';
  const newest = metas.reduce((one, other) => (other.transaction > one.transaction ? other : one));
  const needed = (newest.lastPage + 1n) * BigInt(newest.pageBytes);
  return BigInt(fileBytes) < needed
    ? `it is cut off: ${String(fileBytes)} bytes of ${String(needed)}`
    : undefined;
}

function metaAt(head: Buffer, at: number): Meta | undefined {
  const page = head.subarray(at, at + META_BYTES);
  if (page.byteLength < META_BYTES || page.readUInt32LE(AT.magic) !== MAGIC) return undefined;
  if ((page.readUInt32LE(AT.version) & 0xff) !== FORMAT) return undefined;
  const pageBytes = page.readUInt32LE(AT.pageBytes);
  if (!PAGE_BYTES.includes(pageBytes)) return undefined;
  return {
    pageBytes,
    lastPage: page.readBigUInt64LE(AT.lastPage),
    transaction: page.readBigUInt64LE(AT.transaction),
  };
}
