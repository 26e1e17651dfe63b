/** A binary heap: the least first. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #isLess: (a: T, b: T) => boolean;

  constructor(isLess: (a: T, b: T) => boolean) {
    this.#isLess = isLess;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above] as T;
      if (!this.#isLess(item, parent)) break;
      items[at] = parent;
      at = above;
    }
    items[at] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const least = items[0];
    const last = items.pop();
    if (items.length > 0) this.#sink(last as T);
    return least;
  }

  /** Puts the item in the place of the least. */
  #sink(item: T): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= items.length) break;
      const right = below + 1;
      if (right < items.length && this.#isLess(items[right] as T, items[below] as T)) below = right;
      const child = items[below] as T;
      if (!this.#isLess(child, item)) break;
      items[at] = child;
      at = below;
    }
    items[at] = item;
  }
}

/** The `count` greatest, greatest first. */
export function greatest<T>(
  items: Iterable<T>,
  count: number,
  isLess: (a: T, b: T) => boolean,
): T[] {
  const kept = new Heap(isLess);
  for (const item of items) {
    const least = kept.peek();
    if (kept.size >= count && least !== undefined && !isLess(least, item)) continue;
    kept.push(item);
    if (kept.size > count) kept.pop();
  }
  const found: T[] = [];
  for (let item = kept.pop(); item !== undefined; item = kept.pop()) found.push(item);
  return found.toReversed();
}
