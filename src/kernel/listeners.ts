/** Listeners by key. One may come, leave or leave twice while others are told. */

export class Listeners<K, L> {
  readonly #byKey = new Map<K, Set<{ listener: L }>>();

  /** Returns what ends it; the same listener may be added twice. */
  add(key: K, listener: L): () => void {
    const entries = this.#byKey.get(key) ?? new Set();
    this.#byKey.set(key, entries);
    const mine = { listener };
    entries.add(mine);
    return () => {
      if (entries.delete(mine) && entries.size === 0) this.#byKey.delete(key);
    };
  }

  /** Those of now: who comes while they are told is not among them. */
  of(key: K): L[] {
    return Array.from(this.#byKey.get(key) ?? [], ({ listener }) => listener);
  }

  has(key: K): boolean {
    return this.#byKey.has(key);
  }
}
