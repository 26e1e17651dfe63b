/** Reading back what a storage, or the version before a reload, has. */
import { setImmediate } from 'node:timers/promises';

import { messageOf } from '../coded-error.ts';
import type { Change } from './entries.ts';
import { Heap } from './heap.ts';
import { isExpired, isWorthLess, itemOf, type Item } from './item.ts';
import { isPlainObject } from './json.ts';
import { MemoryError } from './memory-error.ts';
import type { Parts } from './parts.ts';
import { readRecord } from './record.ts';

/** How long indexing may keep the thread's event loop (ms). */
const SLICE_MS = 10;
const TOLD_EVERY_MS = 1_000;

/**
 * Everything the storage has. What has expired or is too much is left out, and forgotten by the
 * storage as well; so no more than `maxEntries` of them are held at once, however many there are.
 */
export async function rebuild(parts: Parts): Promise<void> {
  const { entries, log, tally } = parts;
  const from = performance.now();
  const tell = teller(parts);
  entries.forgetAll();
  tally.unreadable = 0;

  const { kept, gone, read } = await readAll(parts, tell);
  // what the storage itself could not read
  tally.unreadable += Math.max(0, Number(await parts.keeper.count()) - read);
  await index(parts, kept, tell);
  const surplus = entries.surplus(new Set(entries.sizes().keys()), new Set());
  entries.apply(surplus.map(drop));
  tally.evicted += surplus.length;
  forget(parts, [...gone, ...surplus]);

  if (tally.unreadable > 0) {
    const records = tally.unreadable;
    log.warn('the storage has records that are no entries; they are left alone', { records });
  }
  const ms = Math.round(performance.now() - from);
  if (read > 0) log.info(`memory is read back: ${String(entries.size)} entries`, { read, ms });
}

/** Entries from before a reload. */
export async function restore(parts: Parts, records: readonly unknown[]): Promise<void> {
  await index(parts, itemsOf(parts, records), () => undefined);
}

type Tell = (done: number, what: string) => void;

/** Says how far it is, now and then; throws when the time is up. */
function teller({ settings: { rebuildTimeoutMs }, log }: Parts): Tell {
  const from = performance.now();
  let toldAt = from;
  return (done, what) => {
    const now = performance.now();
    if (now - from > rebuildTimeoutMs) {
      const remedy = `is not done within ${String(rebuildTimeoutMs)} ms; raise rebuildTimeoutMs`;
      throw new MemoryError(
        'MEMORY_STORAGE_FAILED',
        `reading back (${String(done)} ${what}) ${remedy}`,
      );
    }
    if (now - toldAt < TOLD_EVERY_MS) return;
    toldAt = now;
    log.info(`memory is being read back: ${String(done)} ${what}`);
  };
}

async function readAll(
  parts: Parts,
  tell: Tell,
): Promise<{ kept: Item[]; gone: Item[]; read: number }> {
  const { keeper, settings, tally } = parts;
  const now = Date.now();
  const heap = new Heap(isWorthLess);
  const gone: Item[] = [];
  let read = 0;
  for await (const chunk of keeper.scan(settings.rebuildTimeoutMs)) {
    tell(++read, 'read');
    for (const item of itemsOf(parts, [chunk])) {
      if (isExpired(item, now)) {
        tally.expired++;
        gone.push(emptied(item));
      } else heap.push(item);
    }
    if (heap.size <= settings.maxEntries) continue;
    tally.evicted++;
    const least = heap.pop();
    if (least) gone.push(emptied(least));
  }
  const kept: Item[] = [];
  for (let item = heap.pop(); item; item = heap.pop()) kept.push(item);
  return { kept, gone, read };
}

function itemsOf(parts: Parts, records: readonly unknown[]): Item[] {
  return records.flatMap((record) => {
    const item = isPlainObject(record) ? itemFrom(parts, record) : undefined;
    if (!item) parts.tally.unreadable++;
    return item ?? [];
  });
}

/** Without its vector, where that is of another embedder, or of none that there is. */
function itemFrom(
  { settings, embedder, ids }: Parts,
  { key, value }: Record<string, unknown>,
): Item | undefined {
  const record = readRecord(key, value);
  if (!record) return undefined;
  const { entry, model } = record;
  ids.follow(entry.id);
  const vector = model === settings.embedderModel ? record.vector : undefined;
  if (vector) embedder?.expect(vector.length);
  const isOfUse = vector !== undefined && vector.length === embedder?.dimensions;
  return itemOf(entry, isOfUse ? vector : undefined, settings.halfLifeMs);
}

async function index({ entries }: Parts, items: readonly Item[], tell: Tell): Promise<void> {
  let sliceFrom = performance.now();
  for (const [at, item] of items.entries()) {
    entries.apply([{ kind: 'put', item }]);
    if (performance.now() - sliceFrom < SLICE_MS) continue;
    tell(at + 1, `of ${String(items.length)} indexed`);
    await setImmediate();
    sliceFrom = performance.now();
  }
}

/** In the storage; here they are not. Nobody waits for it. */
function forget({ writer, log }: Parts, items: readonly Item[]): void {
  if (items.length === 0) return;
  const changes = items.map(drop);
  writer
    .write(() => ({ changes, result: undefined }), { isAlone: true })
    .catch((error: unknown) => {
      const what = 'what was expired or too much at the start is still in the storage';
      log.warn(`${what}: ${messageOf(error)}`, { entries: items.length });
    });
}

/** All that it takes to forget it. */
function emptied({ entry, key }: Item): Item {
  return { entry: { ...entry, text: '', metadata: {} }, vector: undefined, key };
}

function drop(item: Item): Change {
  return { kind: 'drop', item };
}
