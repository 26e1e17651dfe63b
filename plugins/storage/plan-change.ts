/** Whether a change may be made, and what it makes of the store's size; for backends whose checks run in JavaScript. */
import type { StorageChange, StorageOutcome, StorageUsage, StoredEntry } from './backend.ts';

export interface ChangeScene {
  /** What is kept, expired or not. */
  readonly lookup: (namespace: string, key: string) => StoredEntry | undefined;
  usage: StorageUsage;
  bytesMax: number;
  now: number;
}

export interface ChangePlan {
  readonly outcome: StorageOutcome;
  /** After the change; as it was, where that is not made. */
  readonly usage: StorageUsage;
}

export function planChange(
  { checks, writes }: StorageChange,
  { lookup, usage, bytesMax, now }: ChangeScene,
): ChangePlan {
  for (const [failed, { namespace, key, bytes }] of checks.entries()) {
    const current = alive(lookup(namespace, key), now)?.bytes;
    if (!areSame(current, bytes)) {
      return { outcome: { committed: false, why: 'check', failed, current }, usage };
    }
  }
  // what one write leaves is what the next one to the same key finds
  const written = new Map<string, StoredEntry | undefined>();
  let { entries, bytes } = usage;
  const existed = writes.map(({ namespace, key, entry }) => {
    const id = `${String(namespace.length)}:${namespace}${key}`;
    const before = written.has(id) ? written.get(id) : lookup(namespace, key);
    if (writes.length > 1) written.set(id, entry);
    if (before) {
      entries--;
      bytes -= bytesOf(namespace, key, before);
    }
    if (entry) {
      entries++;
      bytes += bytesOf(namespace, key, entry);
    }
    return alive(before, now) !== undefined;
  });
  // what makes it smaller is always welcome
  if (bytes > bytesMax && bytes > usage.bytes) {
    return { outcome: { committed: false, why: 'full', bytes }, usage };
  }
  return { outcome: { committed: true, existed }, usage: { entries, bytes } };
}

/** The entry, unless it has expired. */
export function alive(entry: StoredEntry | undefined, now: number): StoredEntry | undefined {
  return entry && (entry.expiresAt === undefined || entry.expiresAt > now) ? entry : undefined;
}

export function bytesOf(namespace: string, key: string, { bytes }: StoredEntry): number {
  return Buffer.byteLength(namespace) + Buffer.byteLength(key) + bytes.byteLength;
}

function areSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (!one || !other) return one === other;
  return Buffer.compare(one, other) === 0;
}
