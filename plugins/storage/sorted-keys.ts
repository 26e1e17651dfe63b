/** Strings in their order, in chunks, so that adding one moves a few hundred others at most. */

const CHUNK_KEYS_MAX = 1_024;

export class SortedKeys {
  #chunks: string[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (!chunk) {
      this.#chunks.push([key]);
      this.#size++;
      return;
    }
    const index = lowerBound(chunk, key);
    if (chunk[index] === key) return;
    chunk.splice(index, 0, key);
    this.#size++;
    if (chunk.length > CHUNK_KEYS_MAX) {
      this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_KEYS_MAX / 2));
    }
  }

  delete(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (!chunk) return;
    const index = lowerBound(chunk, key);
    if (chunk[index] !== key) return;
    chunk.splice(index, 1);
    this.#size--;
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** The keys in [from, to), in order or from the last to the first. */
  *between(from: string, to: string | undefined, reverse = false): Generator<string> {
    const { at: first, index: start } = this.#find(from);
    const { at: last, index: end } =
      to === undefined ? { at: this.#chunks.length, index: 0 } : this.#find(to);
    const step = reverse ? -1 : 1;
    for (let at = reverse ? last : first; at >= first && at <= last; at += step) {
      const chunk = this.#chunks[at] ?? [];
      const low = at === first ? start : 0;
      const high = at === last ? end : chunk.length;
      for (let i = reverse ? high - 1 : low; i >= low && i < high; i += step) {
        yield chunk[i] ?? '';
      }
    }
  }

  count(from: string, to: string | undefined): number {
    const { at: first, index: start } = this.#find(from);
    const { at: last, index: end } =
      to === undefined ? { at: this.#chunks.length, index: 0 } : this.#find(to);
    let count = end - start;
    for (let at = first; at < last; at++) count += this.#chunks[at]?.length ?? 0;
    return Math.max(count, 0);
  }

  /** Where the first key is that is not before `key`. */
  #find(key: string): { at: number; index: number } {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    return { at, index: chunk ? lowerBound(chunk, key) : 0 };
  }

  /** The last chunk that begins with `key` or before it; the first one where none does. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const first = this.#chunks[middle]?.[0];
      if (first !== undefined && first <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(low - 1, 0);
  }
}

function lowerBound(chunk: readonly string[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
