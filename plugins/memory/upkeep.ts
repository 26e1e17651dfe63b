/** What is done without being asked: throwing away what has expired, and vectors that are missing. */
import { messageOf } from '../coded-error.ts';
import type { Embedder } from './embedder.ts';
import type { Change } from './entries.ts';
import { isExpired, itemOf, type Item } from './item.ts';
import type { Parts } from './parts.ts';

const TOLD_EVERY_MS = 1_000;

export class Upkeep {
  readonly #parts: Parts;
  #isSweeping = false;
  /** The embedder took others of their batch, and not them. */
  readonly #hopeless = new WeakSet<Item>();
  /** Nothing new is begun: the plugin stops or is paused, or another version is to take over. */
  isHeld = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Never rejects; what went wrong is logged, and tried again the next time. */
  async sweep(): Promise<void> {
    if (this.isHeld || this.#isSweeping) return;
    const { writer, log } = this.#parts;
    this.#isSweeping = true;
    try {
      await this.#dropExpired();
      if (!this.isHeld) await writer.mend();
      await this.#embedMissing();
    } catch (error) {
      log.warn(`tried again later: ${messageOf(error)}`);
    } finally {
      this.#isSweeping = false;
    }
  }

  async #dropExpired(): Promise<void> {
    const { entries, writer, tally } = this.#parts;
    const now = Date.now();
    const expired = [...entries.all()].filter((item) => isExpired(item, now));
    if (expired.length === 0) return;
    tally.expired += await writer.write((view) => {
      const changes = expired.flatMap((item): Change[] =>
        isPresent(item, view) ? [{ kind: 'drop', item }] : [],
      );
      return { changes, result: changes.length };
    });
  }

  /** Of entries from when there was no embedder, or another one. */
  async #embedMissing(): Promise<void> {
    const { embedder, entries, log } = this.#parts;
    if (!embedder) return;
    let toldAt = 0;
    for (let batch = this.#vectorless(); batch.length > 0; batch = this.#vectorless()) {
      if (this.isHeld) return;
      if (performance.now() - toldAt >= TOLD_EVERY_MS) {
        toldAt = performance.now();
        const missing = entries.size - entries.withVector;
        log.info('entries without vectors get theirs', { missing });
      }
      await this.#embed(embedder, batch);
    }
  }

  async #embed(embedder: Embedder, batch: readonly Item[]): Promise<void> {
    const { writer, settings } = this.#parts;
    const made = await Promise.allSettled(batch.map(({ entry }) => embedder.embed(entry.text)));
    // made anew when it goes on: what is held writes nothing
    if (this.isHeld) return;
    const vectors = made.map((each) => (each.status === 'fulfilled' ? each.value : undefined));
    const refusal = made.find((each) => each.status === 'rejected');
    if (refusal && vectors.every((vector) => vector === undefined)) throw refusal.reason;
    await writer.write((view) => {
      const changes = batch.flatMap((item, at): Change[] => {
        const vector = vectors[at];
        if (!vector) this.#hopeless.add(item);
        if (!vector || !isPresent(item, view)) return [];
        return [{ kind: 'put', item: itemOf(item.entry, vector, settings.halfLifeMs) }];
      });
      return { changes, result: undefined };
    });
  }

  #vectorless(): Item[] {
    const { entries, settings } = this.#parts;
    const batch: Item[] = [];
    if (entries.withVector === entries.size) return batch;
    for (const item of entries.all()) {
      if (!item.vector && !this.#hopeless.has(item)) batch.push(item);
      if (batch.length === settings.embedBatch) break;
    }
    return batch;
  }
}

/** And not another one with its id. */
function isPresent(
  item: Item,
  view: { get(namespace: string, id: string): Item | undefined },
): boolean {
  return view.get(item.entry.namespace, item.entry.id) === item;
}
