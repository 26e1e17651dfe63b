import { describe, expect, it } from 'vitest';

import { defaultPath } from '../../plugins/storage/create-backend.ts';
import { newestMeta, sizeFault } from '../../plugins/storage/lmdb-check.ts';
import { MemoryBackend } from '../../plugins/storage/memory-backend.ts';
import { planChange } from '../../plugins/storage/plan-change.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const put = (key: string, text: string, expiresAt?: number) => ({
  namespace: 'n',
  key,
  entry: { bytes: bytes(text), expiresAt },
});
const remove = (key: string) => ({ namespace: 'n', key, entry: undefined });
const SCAN = { from: '', to: undefined, reverse: false, keysOnly: true } as const;

describe('the memory backend', () => {
  it('has an entry until the moment it expires, and room for others from then on', () => {
    const backend = new MemoryBackend({ bytesMax: 10 });
    backend.commit({ writes: [put('a', '12345678', 100)], checks: [] }, 0);
    expect(backend.usage()).toEqual({ entries: 1, bytes: 10 });
    expect(backend.get('n', 'a', 99)).toEqual(bytes('12345678'));
    expect(backend.get('n', 'a', 100)).toBeUndefined();
    const more = { writes: [put('b', '1')], checks: [] };
    expect(backend.commit(more, 100)).toEqual({ committed: false, why: 'full', bytes: 13 });
    expect(backend.sweep(10, 99)).toBe(0);
    expect(backend.sweep(10, 100)).toBe(1);
    expect(backend.commit(more, 100)).toEqual({ committed: true, existed: [false] });
    expect(backend.usage()).toEqual({ entries: 1, bytes: 3 });
  });

  it('gives pages that end with what is reached first, entries or bytes', () => {
    const backend = new MemoryBackend({ bytesMax: Infinity });
    const writes = ['a', 'b', 'c', 'd'].map((key) => put(key, '1234'));
    backend.commit({ writes, checks: [] }, 0);
    const page = (entriesMax: number, bytesMax: number, keysOnly = false) => {
      const found = backend.scan('n', { ...SCAN, entriesMax, bytesMax, keysOnly }, 0);
      return { keys: found.entries.map(({ key }) => key), last: found.last };
    };
    expect(page(2, 1_000)).toEqual({ keys: ['a', 'b'], last: 'b' });
    expect(page(10, 9)).toEqual({ keys: ['a', 'b', 'c'], last: 'c' });
    expect(page(10, 9, true)).toEqual({ keys: ['a', 'b', 'c', 'd'], last: undefined });
    expect(page(10, 0)).toEqual({ keys: ['a'], last: 'a' });
  });
});

describe('a change', () => {
  const scene = {
    lookup: (_: string, key: string) =>
      key === 'there' ? { bytes: bytes('12'), expiresAt: 10 } : undefined,
    usage: { entries: 1, bytes: 8 },
    bytesMax: 20,
    now: 5,
  };

  it('finds what an earlier write of its own left', () => {
    const writes = [put('there', '1'), remove('there'), remove('there'), put('new', '123')];
    expect(planChange({ writes, checks: [] }, scene)).toEqual({
      outcome: { committed: true, existed: [true, true, false, false] },
      usage: { entries: 1, bytes: 7 },
    });
  });

  it('counts what has expired as not there, and as bytes that are still taken', () => {
    const later = { ...scene, now: 10 };
    const check = { namespace: 'n', key: 'there', bytes: undefined };
    expect(planChange({ writes: [put('there', '1')], checks: [check] }, later)).toEqual({
      outcome: { committed: true, existed: [false] },
      usage: { entries: 1, bytes: 7 },
    });
    expect(planChange({ writes: [], checks: [check] }, scene).outcome).toEqual({
      committed: false,
      why: 'check',
      failed: 0,
      current: bytes('12'),
    });
  });

  it('may make a store smaller that is larger than it may be', () => {
    const full = { ...scene, bytesMax: 4 };
    expect(planChange({ writes: [put('there', '1')], checks: [] }, full)).toEqual({
      outcome: { committed: true, existed: [true] },
      usage: { entries: 1, bytes: 7 },
    });
    expect(planChange({ writes: [put('there', '123')], checks: [] }, full)).toEqual({
      outcome: { committed: false, why: 'full', bytes: 9 },
      usage: scene.usage,
    });
  });
});

describe('the head of an LMDB file', () => {
  it('is well where the file has all its pages, by the newer of the two', () => {
    const meta = newestMeta(head(3n));
    if (!meta) throw new Error('there is one');
    expect(sizeFault(meta, 4 * 4_096)).toBeUndefined();
    expect(sizeFault(meta, 4 * 4_096 - 1)).toBe('it is cut off: 16383 bytes of 16384');
  });

  it('is none where it is something else', () => {
    for (const other of [Buffer.alloc(8_192), Buffer.from('text'), head(3n, 5_000)]) {
      expect(newestMeta(other)).toBeUndefined();
    }
  });
});

describe('the folder of a database', () => {
  it('is named after the agent and the plugin, and lies where it should', () => {
    expect(defaultPath('my_agent', 'storage_001')).toBe('.troupe/my_agent/storage_001');
    expect(defaultPath('..', 'a/b:c')).toBe('.troupe/%2E./a%2Fb%3Ac');
  });
});

/** Two pages with meta data, the second the newer. */
function head(lastPage: bigint, pageBytes = 4_096): Buffer {
  const all = Buffer.alloc(8_192);
  for (const at of [0, 4_096]) {
    all.writeUInt32LE(0xbe_ef_c0_de, at + 24);
    all.writeUInt32LE(2, at + 28);
    all.writeUInt32LE(pageBytes, at + 48);
    all.writeBigUInt64LE(at === 0 ? 1n : lastPage, at + 144);
    all.writeBigUInt64LE(at === 0 ? 1n : 2n, at + 152);
  }
  return all;
}
