/**
 * Deadlines of many calls without a timer for each. Calls with the same timeout expire in the
 * order they came, so each timeout has one list and one timer; adding and removing are O(1).
 */

export interface Timed {
  /** Owned by the Deadlines it was added to. */
  timer: TimerNode | undefined;
  onDeadline(): void;
}

interface TimerNode {
  readonly item: Timed;
  readonly expiresAt: number;
  readonly list: TimerList;
  previous: TimerNode | undefined;
  next: TimerNode | undefined;
}

interface TimerList {
  readonly timeoutMs: number;
  first: TimerNode | undefined;
  last: TimerNode | undefined;
  handle: NodeJS.Timeout | undefined;
}

export class Deadlines {
  readonly #lists = new Map<number, TimerList>();

  /** @param now performance.now(), read once by the caller. */
  add(item: Timed, timeoutMs: number, now: number): void {
    const list = this.#list(timeoutMs);
    const expiresAt = now + timeoutMs;
    const node: TimerNode = { item, expiresAt, list, previous: list.last, next: undefined };
    if (list.last) list.last.next = node;
    else list.first = node;
    list.last = node;
    item.timer = node;
    if (list.handle) list.handle.ref();
    else this.#arm(list, timeoutMs);
  }

  remove(item: Timed): void {
    const node = item.timer;
    if (!node) return;
    item.timer = undefined;
    const { list, previous, next } = node;
    if (previous) previous.next = next;
    else list.first = next;
    if (next) next.previous = previous;
    else list.last = previous;
    if (!list.first) this.#retire(list);
  }

  /** Nobody waits any more. */
  clear(): void {
    for (const list of this.#lists.values()) clearTimeout(list.handle);
    this.#lists.clear();
  }

  #list(timeoutMs: number): TimerList {
    let list = this.#lists.get(timeoutMs);
    if (!list) {
      list = { timeoutMs, first: undefined, last: undefined, handle: undefined };
      this.#lists.set(timeoutMs, list);
    }
    return list;
  }

  #arm(list: TimerList, delayMs: number): void {
    list.handle = setTimeout(
      () => {
        list.handle = undefined;
        this.#expire(list);
      },
      Math.min(delayMs, TIMER_MS_MAX),
    );
  }

  #expire(list: TimerList): void {
    const now = performance.now();
    for (let node = list.first; node && node.expiresAt <= now; node = list.first) {
      this.remove(node.item);
      node.item.onDeadline();
    }
    if (list.first && !list.handle) this.#arm(list, Math.max(1, list.first.expiresAt - now));
  }

  /** An empty list keeps its timer until it fires, or an echo of quick calls would rearm for each. */
  #retire(list: TimerList): void {
    list.handle?.unref();
    if (this.#lists.size > LISTS_KEPT_MAX) {
      clearTimeout(list.handle);
      this.#lists.delete(list.timeoutMs);
    }
  }
}

/** A longer timer would fire at once; it expires in steps. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Different timeouts remembered while no call has them. */
const LISTS_KEPT_MAX = 64;
