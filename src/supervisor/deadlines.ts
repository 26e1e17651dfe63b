/**
 * Deadlines of many calls with one timer: a timing wheel. A deadline waits in the slot of the tick
 * it is due in, and the longer it is, the longer are its ticks. So adding and removing are O(1),
 * and nothing moves from slot to slot. A deadline is never told early, and late by at most 1/64 of
 * its length and two milliseconds, if the thread is free then.
 */

/** What waits is itself the node of a list: all but `onDeadline` is owned by the Deadlines it was added to. */
export interface Timed {
  /** Where it waits, if it does. */
  slot: Slot | undefined;
  /** The end of its tick, by performance.now(). */
  dueAt: number;
  previous: Timed | undefined;
  next: Timed | undefined;
  onDeadline(): void;
}

/** Those in it are in the order of their `dueAt`, though they only are in that of their coming. */
export interface Slot {
  first: Timed | undefined;
  last: Timed | undefined;
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
    const { last } = slot;
    item.slot = slot;
    item.dueAt = dueAt;
    item.previous = last;
    if (last) last.next = item;
    else slot.first = item;
    slot.last = item;
    if (dueAt < this.#armedFor) this.#arm(dueAt, now);
    else if (this.#waiting === 0) this.#handle?.ref();
    this.#waiting++;
  }

  /** The timer stays until it fires, or an echo of quick calls would arm it for each. */
  remove(item: Timed): void {
    const { slot, previous, next } = item;
    if (!slot) return;
    item.slot = undefined;
    if (previous) previous.next = next;
    else slot.first = next;
    if (next) next.previous = previous;
    else slot.last = previous;
    // one that is over and was promoted would have the next one promoted, and so on
    item.previous = item.next = undefined;
    if (--this.#waiting === 0) this.#handle?.unref();
  }

  /** Nobody waits any more. */
  clear(): void {
    for (let first = this.#earliest(); first; first = this.#earliest()) {
      const { slot } = first;
      for (let item = slot?.first; item; item = slot?.first) this.remove(item);
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
      for (let item = slot?.first; item && item.dueAt <= now; item = slot?.first) {
        this.remove(item);
        item.onDeadline();
      }
    }
  };

  /** Looks into every slot there is: for the timer, not for a call. */
  #earliest(): Timed | undefined {
    let earliest: Timed | undefined;
    for (const level of this.#levels) {
      for (const slot of level?.slots ?? []) {
        const first = slot?.first;
        if (first && (!earliest || first.dueAt < earliest.dueAt)) earliest = first;
      }
    }
    return earliest;
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
