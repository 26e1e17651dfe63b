/** What is done without being asked: reading back, throwing away, and vectors that are missing. */
import { setImmediate } from 'node:timers/promises';

import type { Logger } from 'troupe/plugin';

import type { Embedder } from './embedder.ts';
import type { Change, Entries } from './entries.ts';
import { MemoryError, messageOf } from './errors.ts';
import { Heap } from './heap.ts';
import type { Ids } from './ids.ts';
import { isExpired, isWorthLess, itemOf, type Item } from './item.ts';
import type { Keeper } from './keeper.ts';
import { readRecord } from './record.ts';
import type { MemorySettings } from './settings.ts';
import type { Writer } from './writer.ts';

export interface UpkeepParts {
  settings: MemorySettings;
  entries: Entries;
  keeper: Keeper;
  writer: Writer;
  ids: Ids;
  embedder: Embedder | undefined;
  log: Logger;
}

/** How long indexing may keep the thread's event loop (ms). */
const SLICE_MS = 10;
const TOLD_EVERY_MS = 1_000;

export class Upkeep {
  readonly #parts: UpkeepParts;
  #isEmbedding = false;
  /** The embedder took others of their batch, and not them. */
  readonly #hopeless = new WeakSet<Item>();
  /** Nothing new is begun: the plugin stops, or another version is to take over. */
  isHeld = false;
  expired = 0;
  unreadable = 0;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  /** Everything the storage has, but for what is expired or too much: that goes there as well. */
  async rebuild(): Promise<void> {
    const { keeper, settings, entries, writer, log } = this.#parts;
    const from = performance.now();
    const deadline = from + settings.rebuildTimeoutMs;
    const now = Date.now();
    const kept = new Heap(isWorthLess);
    const expired: Item[] = [];
    const tooMuch: Item[] = [];
    let toldAt = from;
    let read = 0;
    const tell = (what: string, fields: Record<string, unknown>): void => {
      if (performance.now() > deadline) throw new RebuildTimeout(settings.rebuildTimeoutMs, read);
      if (performance.now() - toldAt < TOLD_EVERY_MS) return;
      toldAt = performance.now();
      log.info(`memory is read back: ${what}`, fields);
    };
    entries.forgetAll();
    this.unreadable = 0;
    for await (const chunk of keeper.scan(settings.rebuildTimeoutMs)) {
      read++;
      const item = this.#read(chunk);
      if (!item) this.unreadable++;
      else if (isExpired(item, now)) expired.push(item);
      else kept.push(item);
      if (kept.size > settings.maxEntries) {
        const least = kept.pop();
        if (least) tooMuch.push(least);
      }
      tell('reading', { read });
    }
    const items: Item[] = [];
    for (let item = kept.pop(); item; item = kept.pop()) items.push(item);
    await this.#index(items, (done) => {
      tell('indexing', { done, of: items.length });
    });
    const surplus = entries.surplus(new Set(entries.sizes().keys()), new Set());
    entries.apply(surplus.map((item) => ({ kind: 'drop', item })));
    writer.evicted += tooMuch.length + surplus.length;
    this.expired += expired.length;
    const gone = [...expired, ...tooMuch, ...surplus];
    if (gone.length > 0) this.#forget(gone);
    if (this.unreadable > 0) {
      log.warn('the storage has records that are no entries; they are left alone', {
        records: this.unreadable,
      });
    }
    const ms = Math.round(performance.now() - from);
    if (read > 0) log.info('memory is read back', { entries: entries.size, read, ms });
  }

  /** Entries from before a reload. */
  async restore(records: readonly unknown[]): Promise<void> {
    const items = records.flatMap((record) => this.#read(record) ?? []);
    await this.#index(items, () => undefined);
  }

  /** What has expired, what the storage may have wrong, and what has no vector. */
  async sweep(): Promise<void> {
    if (this.isHeld) return;
    const { entries, writer, log } = this.#parts;
    const now = Date.now();
    const expired = [...entries.all()].filter((item) => isExpired(item, now));
    try {
      if (expired.length > 0) {
        this.expired += await writer.write((view) => {
          const changes = stillThere(expired, view);
          return { changes, result: changes.length };
        });
      }
      await writer.mend();
    } catch (error) {
      log.warn(`what has expired could not be thrown away; tried again: ${messageOf(error)}`);
    }
    await this.embedMissing();
  }

  /** Entries from when there was no embedder, or another one. */
  async embedMissing(): Promise<void> {
    const { embedder, entries, log } = this.#parts;
    const missing = entries.size - entries.withVector;
    if (!embedder || this.#isEmbedding || missing === 0) return;
    this.#isEmbedding = true;
    log.info('entries without vectors get theirs', { missing });
    try {
      let toldAt = performance.now();
      for (
        let batch = this.#vectorless();
        batch.length > 0 && !this.isHeld;
        batch = this.#vectorless()
      ) {
        await this.#embed(embedder, batch);
        if (performance.now() - toldAt < TOLD_EVERY_MS) continue;
        toldAt = performance.now();
        log.info('entries without vectors get theirs', {
          missing: entries.size - entries.withVector,
        });
      }
    } catch (error) {
      log.warn(`entries are without vectors; tried again later: ${messageOf(error)}`);
    } finally {
      this.#isEmbedding = false;
    }
  }

  async #embed(embedder: Embedder, batch: readonly Item[]): Promise<void> {
    const { writer, settings } = this.#parts;
    const made = await Promise.allSettled(batch.map(({ entry }) => embedder.embed(entry.text)));
    const vectors = made.map((each) => (each.status === 'fulfilled' ? each.value : undefined));
    const refusal = made.find((each) => each.status === 'rejected');
    if (refusal && vectors.every((vector) => vector === undefined)) throw refusal.reason;
    await writer.write((view) => {
      const changes = batch.flatMap((item, at): Change[] => {
        const { entry } = item;
        const vector = vectors[at];
        if (!vector) this.#hopeless.add(item);
        if (!vector || view.get(entry.namespace, entry.id) !== item) return [];
        return [{ kind: 'put', item: itemOf(entry, vector, settings.halfLifeMs) }];
      });
      return { changes, result: undefined };
    });
  }

  #vectorless(): Item[] {
    const batch: Item[] = [];
    for (const item of this.#parts.entries.all()) {
      if (!item.vector && !this.#hopeless.has(item)) batch.push(item);
      if (batch.length === this.#parts.settings.embedBatch) break;
    }
    return batch;
  }

  #read(chunk: unknown): Item | undefined {
    const { settings, embedder, ids } = this.#parts;
    const { key, value } = chunk as { key?: unknown; value?: unknown };
    const record = readRecord(key, value);
    if (!record) return undefined;
    const { entry, model } = record;
    ids.follow(entry.id);
    let { vector } = record;
    if (vector && (!embedder || model !== settings.embedderModel)) vector = undefined;
    if (vector) embedder?.expect(vector.length);
    if (vector && vector.length !== embedder?.dimensions) vector = undefined;
    return itemOf(entry, vector, settings.halfLifeMs);
  }

  async #index(items: readonly Item[], tell: (done: number) => void): Promise<void> {
    const { entries } = this.#parts;
    let sliceFrom = performance.now();
    for (const [at, item] of items.entries()) {
      entries.apply([{ kind: 'put', item }]);
      if (performance.now() - sliceFrom < SLICE_MS) continue;
      tell(at + 1);
      await setImmediate();
      sliceFrom = performance.now();
    }
  }

  /** In the storage; here they are not. */
  #forget(items: readonly Item[]): void {
    const { writer, log } = this.#parts;
    const changes = items.map((item): Change => ({ kind: 'drop', item }));
    writer
      .write(() => ({ changes, result: undefined }), { isAlone: true })
      .catch((error: unknown) => {
        const what = 'what was expired or too much at the start is still in the storage';
        log.warn(`${what}: ${messageOf(error)}`, { entries: items.length });
      });
  }
}

function stillThere(
  items: readonly Item[],
  view: { get(namespace: string, id: string): Item | undefined },
): Change[] {
  return items
    .filter((item) => view.get(item.entry.namespace, item.entry.id) === item)
    .map((item) => ({ kind: 'drop', item }));
}

class RebuildTimeout extends MemoryError {
  constructor(timeoutMs: number, read: number) {
    const so = `${String(read)} entries were read from the storage within ${String(timeoutMs)} ms`;
    super('STORAGE_FAILED', `${so}, and that was not all; raise rebuildTimeoutMs`);
  }
}
