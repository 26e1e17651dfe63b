/**
 * Walks through the pages of an LMDB file that is not open yet, and says what is wrong with it. LMDB
 * itself trusts its pages: of a broken one it leaves entries out, reads behind the end of the file,
 * or ends the whole process.
 */
import { open, type FileHandle } from 'node:fs/promises';

const MAGIC = 0xbe_ef_c0_de;
/** LMDB's data format 2: where things are in a page with meta data, from its start. */
const META = {
  magic: 24,
  version: 28,
  pageBytes: 48,
  freeRoot: 88,
  root: 136,
  lastPage: 144,
  transaction: 152,
  bytes: 160,
};
const FORMAT = 2;
const PAGE = { number: 0, flags: 18, lower: 20, upper: 22, pages: 20, bytes: 24 };
const PAGE_FLAG = { branch: 1, leaf: 2, overflow: 4 };
const NODE = { flags: 4, keyBytes: 6, bytes: 8 };
const NODE_FLAG = { onOwnPages: 1, table: 2 };
/** Of a table, in the value of its node. */
const TABLE_ROOT = 40;
const NO_PAGE = 2n ** 64n - 1n;
/** Where the second page may begin. */
const PAGE_BYTES = [4_096, 8_192, 16_384, 32_768, 65_536];
const DEPTH_MAX = 32;
const ATTEMPTS = 5;

export interface Meta {
  readonly pageBytes: number;
  readonly roots: readonly bigint[];
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

/**
 * What is wrong; `undefined` where nothing is, or there is no file. The tree is looked at where the
 * file has at most `treeBytesMax`.
 */
export async function faultOf(path: string, treeBytesMax: number): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const meta = newestMeta(await readHead(file));
      // later than that, since others may make it longer meanwhile
      const { size } = await file.stat();
      if (size === 0) return undefined;
      if (!meta) return 'it is not an LMDB file of this format';
      const fault =
        sizeFault(meta, size) ?? (size <= treeBytesMax ? await treeFault(file, meta) : undefined);
      if (!fault) return undefined;
      // pages that somebody else writes meanwhile are not broken
      const now = newestMeta(await readHead(file));
      if (now?.transaction === meta.transaction) return fault;
    }
    // it is in use, and well enough for that
    return undefined;
  } finally {
    await file.close();
  }
}

/** Of the two pages with meta data the one that was written last. */
export function newestMeta(head: Buffer): Meta | undefined {
  const metas = [0, ...PAGE_BYTES].map((at) => metaAt(head, at));
  return metas.reduce((one, other) =>
    !one || (other && other.transaction > one.transaction) ? other : one,
  );
}

export function sizeFault(meta: Meta, fileBytes: number): string | undefined {
  const needed = (meta.lastPage + 1n) * BigInt(meta.pageBytes);
  return BigInt(fileBytes) < needed
    ? `it is cut off: ${String(fileBytes)} bytes of ${String(needed)}`
    : undefined;
}

async function readHead(file: FileHandle): Promise<Buffer> {
  const head = Buffer.alloc(Math.max(...PAGE_BYTES) + META.bytes);
  const { bytesRead } = await file.read(head, 0, head.byteLength, 0);
  return head.subarray(0, bytesRead);
}

function metaAt(head: Buffer, at: number): Meta | undefined {
  const page = head.subarray(at, at + META.bytes);
  if (page.byteLength < META.bytes || page.readUInt32LE(META.magic) !== MAGIC) return undefined;
  const pageBytes = page.readUInt32LE(META.pageBytes);
  const format = page.readUInt32LE(META.version) & 0xff;
  if (format !== FORMAT || !PAGE_BYTES.includes(pageBytes)) return undefined;
  return {
    pageBytes,
    roots: [page.readBigUInt64LE(META.freeRoot), page.readBigUInt64LE(META.root)],
    lastPage: page.readBigUInt64LE(META.lastPage),
    transaction: page.readBigUInt64LE(META.transaction),
  };
}

async function treeFault(file: FileHandle, meta: Meta): Promise<string | undefined> {
  const open = meta.roots.map((number) => ({ number, depth: 0, isOverflow: false }));
  const page = Buffer.alloc(meta.pageBytes);
  for (let next = open.pop(); next; next = open.pop()) {
    const { number, depth, isOverflow } = next;
    if (number === NO_PAGE) continue;
    const fault = `page ${String(number)} is broken`;
    if (number > meta.lastPage || depth > DEPTH_MAX) return fault;
    await file.read(page, 0, page.byteLength, Number(number) * meta.pageBytes);
    if (page.readBigUInt64LE(PAGE.number) !== number) return fault;
    const flags = page.readUInt16LE(PAGE.flags);
    if (isOverflow) {
      const pages = BigInt(page.readUInt32LE(PAGE.pages));
      if ((flags & PAGE_FLAG.overflow) === 0 || number + pages - 1n > meta.lastPage) return fault;
      continue;
    }
    const below = belowPage(page, flags);
    if (!below) return fault;
    for (const one of below) open.push({ ...one, depth: depth + 1 });
  }
  return undefined;
}

/** The pages that a page leads to; `undefined` where it is none of a tree. */
function belowPage(
  page: Buffer,
  flags: number,
): { number: bigint; isOverflow: boolean }[] | undefined {
  const isBranch = (flags & PAGE_FLAG.branch) !== 0;
  if (!isBranch && (flags & PAGE_FLAG.leaf) === 0) return undefined;
  // both count from behind the page's own header
  const lower = page.readUInt16LE(PAGE.lower);
  const upper = page.readUInt16LE(PAGE.upper);
  if (lower > upper || PAGE.bytes + upper > page.byteLength || lower % 2 !== 0) return undefined;
  const below: { number: bigint; isOverflow: boolean }[] = [];
  for (let at = 0; at < lower; at += 2) {
    const node = PAGE.bytes + page.readUInt16LE(PAGE.bytes + at);
    if (node < PAGE.bytes + upper || node + NODE.bytes > page.byteLength) return undefined;
    const nodeFlags = page.readUInt16LE(node + NODE.flags);
    const low = page.readUInt32LE(node);
    if (isBranch) {
      below.push({ number: BigInt(low) + (BigInt(nodeFlags) << 32n), isOverflow: false });
      continue;
    }
    const value = node + NODE.bytes + page.readUInt16LE(node + NODE.keyBytes);
    const isTable = (nodeFlags & NODE_FLAG.table) !== 0;
    const isOverflow = (nodeFlags & NODE_FLAG.onOwnPages) !== 0;
    const valueBytes = isOverflow ? 8 : low;
    if (value + valueBytes > page.byteLength) return undefined;
    if (isOverflow) below.push({ number: page.readBigUInt64LE(value), isOverflow });
    else if (isTable) {
      below.push({ number: page.readBigUInt64LE(value + TABLE_ROOT), isOverflow });
    }
  }
  return below;
}
