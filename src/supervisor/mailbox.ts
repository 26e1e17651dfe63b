/**
 * Calls that wait for their plugin: first in, first out, with a way back to the front. It knows
 * its bounds, in calls and in bytes; who puts a call in asks first, and may go beyond the first.
 */

/** What a mailbox needs to know of a call. */
export interface Sized {
  /** What it holds while it waits; never changes. */
  readonly bytes: number;
}

export type MailboxBound = 'capacity' | 'bytesMax';

export class Mailbox<T extends Sized> {
  readonly #bounds: Readonly<Record<MailboxBound, number>>;
  #items: (T | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  constructor(bounds: Readonly<Record<MailboxBound, number>>) {
    this.#bounds = bounds;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** What all that wait hold. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The bound that one more of this size would break; an empty mailbox takes any. */
  wouldBreak(bytes: number): MailboxBound | undefined {
    if (this.length === 0) return undefined;
    if (this.#bytes + bytes > this.#bounds.bytesMax) return 'bytesMax';
    return this.length >= this.#bounds.capacity ? 'capacity' : undefined;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#bytes += item.bytes;
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head++;
    this.#bytes -= item?.bytes ?? 0;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > COMPACT_AT && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes out up to `max` that match, the oldest first; no time for those at the front. */
  take(max: number, matches: (item: T) => boolean): T[] {
    const taken: T[] = [];
    for (let item = this.peek(); item && taken.length < max && matches(item); item = this.peek()) {
      taken.push(item);
      this.shift();
    }
    if (taken.length === max || !this.#items.some((item) => item && matches(item))) return taken;
    const kept: T[] = [];
    for (const item of this.clear()) {
      if (taken.length < max && matches(item)) taken.push(item);
      else kept.push(item);
    }
    this.returnToFront(kept);
    return taken;
  }

  /** Calls that were sent and not begun come back before all others, in their old order. */
  returnToFront(items: readonly T[]): void {
    if (items.length === 0) return;
    this.#items = [...items, ...this.#items.slice(this.#head)];
    this.#head = 0;
    for (const { bytes } of items) this.#bytes += bytes;
  }

  /**
   * Takes out one that will not be sent: the oldest, as where many expire one after the other,
   * in no time; any other in O(n).
   */
  remove(item: T): boolean {
    const at = this.#items.indexOf(item, this.#head);
    if (at < 0) return false;
    if (at === this.#head) {
      this.shift();
      return true;
    }
    this.#items.splice(at, 1);
    this.#bytes -= item.bytes;
    return true;
  }

  clear(): T[] {
    const items = this.#items.slice(this.#head).filter((item) => item !== undefined);
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
    return items;
  }
}

/** Taken items are forgotten in one go once they are this many. */
const COMPACT_AT = 1_024;
