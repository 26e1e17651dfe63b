/**
 * One resolution of a series: cells of equal length, in pages that are made when a sample falls
 * into them, and used again when their time is over. So what there is nothing of costs nothing,
 * and what is kept is bounded.
 */
import type { Retention } from './types.ts';

/** What a cell is made of: one sample, or many that were put together. */
export interface Entry {
  count: number;
  sum: number;
  min: number;
  max: number;
  last: number;
  /** Of a histogram: how many values at most so large, by bound. */
  buckets?: ReadonlyMap<number, number> | undefined;
}

export interface Cell extends Entry {
  /** When it begins (epoch ms). */
  at: number;
}

export interface Page {
  /** Counts pages since 1970. */
  number: number;
  /** Five for each cell; a count of 0 says that there is none. */
  values: Float64Array;
  /** By the cell's place in the page. */
  buckets: Map<number, Map<number, number>>;
}

export const PAGE_CELLS = 60;
const FIELDS = 5;

export class Tier {
  readonly stepMs: number;
  readonly keepMs: number;
  readonly #pages: (Page | undefined)[];

  constructor({ stepMs, keepMs }: Retention) {
    this.stepMs = stepMs;
    this.keepMs = keepMs;
    const count = Math.ceil(keepMs / (stepMs * PAGE_CELLS)) + 1;
    this.#pages = Array.from({ length: count }, () => undefined);
  }

  /** A sample from before what the page holds now is not kept. */
  add(at: number, entry: Entry): void {
    const cell = Math.floor(at / this.stepMs);
    const page = this.#pageFor(Math.floor(cell / PAGE_CELLS));
    if (!page) return;
    const place = cell % PAGE_CELLS;
    const { values } = page;
    const from = place * FIELDS;
    const [count = 0, sum = 0, min = 0, max = 0] = values.subarray(from, from + FIELDS);
    values[from] = count + entry.count;
    values[from + 1] = sum + entry.sum;
    values[from + 2] = count === 0 ? entry.min : Math.min(min, entry.min);
    values[from + 3] = count === 0 ? entry.max : Math.max(max, entry.max);
    values[from + 4] = entry.last;
    if (!entry.buckets) return;
    const buckets = page.buckets.get(place) ?? new Map<number, number>();
    page.buckets.set(place, buckets);
    for (const [bound, n] of entry.buckets) buckets.set(bound, (buckets.get(bound) ?? 0) + n);
  }

  /** Those that begin at `fromMs` or later, and before `toMs`; oldest first. */
  cells(fromMs: number, toMs: number): Cell[] {
    const pageMs = this.stepMs * PAGE_CELLS;
    return this.#held()
      .filter(({ number }) => (number + 1) * pageMs > fromMs && number * pageMs < toMs)
      .flatMap((page) => this.#cellsOf(page))
      .filter(({ at }) => at >= fromMs && at < toMs);
  }

  /** Lets go what is older than it is to be. Says whether anything is left. */
  forget(now: number): boolean {
    const pageMs = this.stepMs * PAGE_CELLS;
    for (const [place, page] of this.#pages.entries()) {
      if (page && (page.number + 1) * pageMs < now - this.keepMs) this.#pages[place] = undefined;
    }
    return this.#held().length > 0;
  }

  snapshot(): Page[] {
    return this.#held();
  }

  restore(pages: readonly Page[]): void {
    for (const page of pages) this.#pages[page.number % this.#pages.length] = page;
  }

  #held(): Page[] {
    return this.#pages.filter((page) => page !== undefined).sort((a, b) => a.number - b.number);
  }

  #pageFor(number: number): Page | undefined {
    const place = number % this.#pages.length;
    const page = this.#pages[place];
    if (page && page.number > number) return undefined;
    if (page?.number === number) return page;
    const values = page?.values.fill(0) ?? new Float64Array(PAGE_CELLS * FIELDS);
    const made = { number, values, buckets: new Map<number, Map<number, number>>() };
    this.#pages[place] = made;
    return made;
  }

  #cellsOf({ number, values, buckets }: Page): Cell[] {
    const cells: Cell[] = [];
    for (let place = 0; place < PAGE_CELLS; place++) {
      const from = place * FIELDS;
      const [count = 0, sum = 0, min = 0, max = 0, last = 0] = values.subarray(from, from + FIELDS);
      if (count === 0) continue;
      const at = (number * PAGE_CELLS + place) * this.stepMs;
      cells.push({ at, count, sum, min, max, last, buckets: buckets.get(place) });
    }
    return cells;
  }
}
