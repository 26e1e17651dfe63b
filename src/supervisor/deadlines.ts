/**
 * Deadlines of many calls with one timer: a timing wheel. A deadline waits in the slot of the tick
 * it is due in, and the longer it is, the longer are its ticks. So adding and removing are O(1),
 * and nothing moves from slot to slot. A deadline is never told early, and late by at most 1/64 of
 * its length and two milliseconds, if the thread is free then.
 */

export interface Timed {
  /** Owned by the Deadlines it was added to. */
  timer: TimerNode | undefined;
  onDeadline(): void;
}

/** Its nodes are in the order of their `dueAt`, though they only are in that of their coming. */
interface Slot {
  first: TimerNode | undefined;
  last: TimerNode | undefined;
}

/** A ring of slots for deadlines of 64 to 128 ticks; the first level has the shorter ones, too. */
interface Level {
  readonly tickMs: number;
  readonly slots: (Slot | undefined)[];
}

export class Deadlines {
  readonly #levels = blank<Level>(LEVELS);
  #waiting = 0;
  #handle: NodeJS.Timeout | undefined;
  /** No deadline is due before that. */
  #armedFor = Infinity;

  /** @param now performance.now(), read once by the caller. */
  add(item: Timed, timeoutMs: number, now: number): void {
    const wholeMs = Math.min(Math.ceil(timeoutMs), LENGTH_MS_MAX);
    const { tickMs, slots } = this.#level(wholeMs);
    const tick = Math.ceil((now + wholeMs) / tickMs);
    const dueAt = tick * tickMs;
    const slot = (slots[tick & (SLOTS - 1)] ??= { first: undefined, last: undefined });
    const node = new TimerNode(item, dueAt, slot);
    if (slot.last) slot.last.next = node;
    else slot.first = node;
    slot.last = node;
    item.timer = node;
    if (dueAt < this.#armedFor) this.#arm(dueAt, now);
    else if (this.#waiting === 0) this.#handle?.ref();
    this.#waiting++;
  }

  /** The timer stays until it fires, or an echo of quick calls would arm it for each. */
  remove(item: Timed): void {
    const node = item.timer;
    if (!node) return;
    item.timer = undefined;
    const { slot, previous, next } = node;
    if (previous) previous.next = next;
    else slot.first = next;
    if (next) next.previous = previous;
    else slot.last = previous;
    // a dead node that was promoted would have the next one promoted, and so on
    node.previous = node.next = undefined;
    if (--this.#waiting === 0) this.#handle?.unref();
  }

  /** Nobody waits any more. */
  clear(): void {
    for (let first = this.#earliest(); first; first = this.#earliest()) {
      const { slot } = first;
      for (let node = slot.first; node; node = slot.first) this.remove(node.item);
    }
    this.#disarm();
  }

  #level(wholeMs: number): Level {
    const level = 31 - Math.clz32((wholeMs / TICKS_MIN) | 1);
    return (this.#levels[level] ??= { tickMs: 2 ** level, slots: blank<Slot>(SLOTS) });
  }

  #arm(dueAt: number, now: number): void {
    clearTimeout(this.#handle);
    this.#handle = setTimeout(this.#expire, Math.min(Math.ceil(dueAt - now), TIMER_MS_MAX));
    this.#armedFor = dueAt;
  }

  #disarm(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
    this.#armedFor = Infinity;
  }

  readonly #expire = (): void => {
    this.#disarm();
    const now = performance.now();
    for (let first = this.#earliest(); first; first = this.#earliest()) {
      if (first.dueAt > now) {
        if (first.dueAt < this.#armedFor) this.#arm(first.dueAt, now);
        return;
      }
      const { slot } = first;
      for (let node = slot.first; node && node.dueAt <= now; node = slot.first) {
        this.remove(node.item);
        node.item.onDeadline();
      }
    }
  };

  /** Looks into every slot there is: for the timer, not for a call. */
  #earliest(): TimerNode | undefined {
    let earliest: TimerNode | undefined;
    for (const level of this.#levels) {
      for (const slot of level?.slots ?? []) {
        const first = slot?.first;
        if (first && (!earliest || first.dueAt < earliest.dueAt)) earliest = first;
      }
    }
    return earliest;
  }
}

/**
 * A class, since V8 may come to make all objects of one literal in its old space, where each would
 * keep its call until the next full collection.
 */
class TimerNode {
  readonly item: Timed;
  /** The end of its tick, by performance.now(). */
  readonly dueAt: number;
  readonly slot: Slot;
  previous: TimerNode | undefined;
  next: TimerNode | undefined;

  constructor(item: Timed, dueAt: number, slot: Slot) {
    this.item = item;
    this.dueAt = dueAt;
    this.slot = slot;
    this.previous = slot.last;
    this.next = undefined;
  }
}

/** Without holes, as V8 tells the two kinds of array apart in what it compiles. */
function blank<T>(length: number): (T | undefined)[] {
  return Array.from({ length }, () => undefined);
}

/** The shortest deadline of a level, but for the first. The more, the less a deadline is late. */
const TICKS_MIN = 64;

/**
 * A power of two. Of two deadlines of a level, the later comer is due at most 127 ticks before
 * the earlier: if they are due in the same slot, it is not due before it.
 */
const SLOTS = 2 * TICKS_MIN;

/** Four years; a longer one is told then. */
const LENGTH_MS_MAX = 2 ** 37 - 1;

const LEVELS = 32;

/** A longer timer would fire at once; it expires in steps. */
const TIMER_MS_MAX = 2 ** 31 - 1;
