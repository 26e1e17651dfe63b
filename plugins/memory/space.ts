/** One namespace: its entries, the indexes over them, and who is forgotten first. */
import type * as Orama from '@orama/orama';
import type * as OramaTrees from '@orama/orama/trees';

import { Heap } from './heap.ts';
import { isWorthLess, type Item } from './item.ts';
import { TextIndex } from './text-index.ts';

export interface Libraries {
  orama: typeof Orama;
  trees: typeof OramaTrees;
}

export interface SpaceOptions {
  libraries: Libraries;
  stemming: boolean;
}

/** What stays in the heap although it is gone is thrown out once it is more than the rest. */
const STALE_SPARE = 64;

export class Space {
  readonly #libraries: Libraries;
  readonly #text: TextIndex;
  #vectors: OramaTrees.vector.VectorIndex | undefined;
  readonly #items = new Map<string, Item>();
  readonly #slots = new Map<Item, number>();
  readonly #itemsBySlot: (Item | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #conversations = new Map<string, Map<string, Item>>();
  #order = new Heap(isWorthLess);

  constructor({ libraries, stemming }: SpaceOptions) {
    this.#libraries = libraries;
    this.#text = new TextIndex(libraries.orama, { stemming });
  }

  get size(): number {
    return this.#items.size;
  }

  get(id: string): Item | undefined {
    return this.#items.get(id);
  }

  items(): Iterable<Item> {
    return this.#items.values();
  }

  conversation(name: string): Iterable<Item> {
    return this.#conversations.get(name)?.values() ?? [];
  }

  /** In the place of the item with its id, where there is one. */
  put(item: Item): void {
    const { id, text, conversation } = item.entry;
    this.drop(id);
    const slot = this.#freeSlots.pop() ?? this.#itemsBySlot.length;
    this.#itemsBySlot[slot] = item;
    this.#slots.set(item, slot);
    this.#items.set(id, item);
    this.#text.add(slot, text);
    if (item.vector) this.#vectorsOf(item.vector.length).add(slot, item.vector);
    if (conversation !== undefined) {
      const messages = this.#conversations.get(conversation) ?? new Map<string, Item>();
      this.#conversations.set(conversation, messages.set(id, item));
    }
    this.#order.push(item);
  }

  drop(id: string): Item | undefined {
    const item = this.#items.get(id);
    const slot = item && this.#slots.get(item);
    if (!item || slot === undefined) return undefined;
    this.#text.remove(slot);
    this.#vectors?.remove(slot);
    this.#items.delete(id);
    this.#slots.delete(item);
    this.#itemsBySlot[slot] = undefined;
    this.#freeSlots.push(slot);
    const { conversation } = item.entry;
    const messages = conversation === undefined ? undefined : this.#conversations.get(conversation);
    messages?.delete(id);
    if (conversation !== undefined && messages?.size === 0)
      this.#conversations.delete(conversation);
    if (this.#order.size > 2 * this.#items.size + STALE_SPARE) this.#order = this.#orderAnew();
    return item;
  }

  /** With how well its words fit; only what has one of them. */
  searchText(term: string): [Item, number][] {
    return this.#inSlots(this.#text.search(term));
  }

  /** With the cosine of the angle between them; only what has a vector and is near enough. */
  searchVector(vector: Float32Array, leastSimilarity: number): [Item, number][] {
    return this.#inSlots(this.#vectors?.find(vector, leastSimilarity, undefined) ?? []);
  }

  /** What is to be forgotten first, but for these. */
  least(passing: ReadonlySet<string>): Item | undefined {
    const passed: Item[] = [];
    let found: Item | undefined;
    for (let item = this.#order.peek(); item && !found; item = this.#order.peek()) {
      if (!this.#slots.has(item)) this.#order.pop();
      else if (passing.has(item.entry.id)) passed.push(...popped(this.#order));
      else found = item;
    }
    for (const item of passed) this.#order.push(item);
    return found;
  }

  #vectorsOf(length: number): OramaTrees.vector.VectorIndex {
    this.#vectors ??= new this.#libraries.trees.vector.VectorIndex(length);
    return this.#vectors;
  }

  #inSlots(found: readonly (readonly [number, number])[]): [Item, number][] {
    return found.flatMap(([slot, score]): [Item, number][] => {
      const item = this.#itemsBySlot[slot];
      return item ? [[item, score]] : [];
    });
  }

  #orderAnew(): Heap<Item> {
    const order = new Heap(isWorthLess);
    for (const item of this.#items.values()) order.push(item);
    return order;
  }
}

function popped(order: Heap<Item>): Item[] {
  const item = order.pop();
  return item ? [item] : [];
}
