/** All that is remembered, by namespace. Nothing here waits: what is durable is the writer's matter. */
import { isExpired, isWorthLess, type Item } from './item.ts';
import { ALL_NAMESPACES } from './settings.ts';
import { Space, type SpaceOptions } from './space.ts';
import type { MemoryMetadata } from './types.ts';

export interface Change {
  kind: 'put' | 'drop';
  item: Item;
}

export interface Chosen {
  namespace: string;
  conversation?: string | undefined;
  matches?: ((metadata: MemoryMetadata) => boolean) | undefined;
}

export interface EntriesOptions extends SpaceOptions {
  maxEntries: number;
  maxEntriesPerNamespace: number;
}

export class Entries {
  readonly #options: EntriesOptions;
  readonly #spaces = new Map<string, Space>();
  #size = 0;
  #withVector = 0;

  constructor(options: EntriesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  get withVector(): number {
    return this.#withVector;
  }

  get(namespace: string, id: string): Item | undefined {
    return this.#spaces.get(namespace)?.get(id);
  }

  space(namespace: string): Space | undefined {
    return this.#spaces.get(namespace);
  }

  /** How many, by namespace. */
  sizes(): Map<string, number> {
    return new Map([...this.#spaces].map(([name, space]) => [name, space.size]));
  }

  apply(changes: readonly Change[]): void {
    for (const { kind, item } of changes) {
      if (kind === 'put') this.#put(item);
      else this.#drop(item);
    }
  }

  forgetAll(): void {
    this.#spaces.clear();
    this.#size = 0;
    this.#withVector = 0;
  }

  *all(): Iterable<Item> {
    for (const space of this.#spaces.values()) yield* space.items();
  }

  *select({ namespace, conversation, matches }: Chosen, now: number): Iterable<Item> {
    const spaces =
      namespace === ALL_NAMESPACES ? this.#spaces.values() : [this.#spaces.get(namespace)];
    for (const space of spaces) {
      const items = conversation === undefined ? space?.items() : space?.conversation(conversation);
      for (const item of items ?? []) {
        if (!isExpired(item, now) && (matches?.(item.entry.metadata) ?? true)) yield item;
      }
    }
  }

  /**
   * What is too much: the least of each of these namespaces that is over its bound, then the least
   * of all. Those to spare, by id, are taken only where there is nothing else.
   */
  surplus(namespaces: ReadonlySet<string>, toSpare: ReadonlySet<string>): Item[] {
    const { maxEntries, maxEntriesPerNamespace } = this.#options;
    const chosen = new Set<string>();
    const spared = new Set(toSpare);
    const surplus: Item[] = [];
    const take = (spaces: readonly Space[], count: number): void => {
      for (; count > 0; count--) {
        const item = leastOf(spaces, spared) ?? leastOf(spaces, chosen);
        if (!item) return;
        surplus.push(item);
        chosen.add(item.entry.id);
        spared.add(item.entry.id);
      }
    };
    for (const name of namespaces) {
      const space = this.#spaces.get(name);
      if (space) take([space], space.size - maxEntriesPerNamespace);
    }
    const over = this.#size - surplus.length - maxEntries;
    if (over > 0) take([...this.#spaces.values()], over);
    return surplus;
  }

  #put(item: Item): void {
    const { namespace, id } = item.entry;
    let space = this.#spaces.get(namespace);
    if (!space) this.#spaces.set(namespace, (space = new Space(this.#options)));
    this.#count(space.get(id), -1);
    space.put(item);
    this.#count(item, 1);
  }

  #drop({ entry: { namespace, id } }: Item): void {
    const space = this.#spaces.get(namespace);
    this.#count(space?.drop(id), -1);
    if (space?.size === 0) this.#spaces.delete(namespace);
  }

  #count(item: Item | undefined, by: 1 | -1): void {
    if (!item) return;
    this.#size += by;
    if (item.vector) this.#withVector += by;
  }
}

function leastOf(spaces: readonly Space[], passing: ReadonlySet<string>): Item | undefined {
  let least: Item | undefined;
  for (const space of spaces) {
    const item = space.least(passing);
    if (item && (!least || isWorthLess(item, least))) least = item;
  }
  return least;
}
