import { describe, expect, it } from 'vitest';

import { greatest, Heap } from '../../plugins/memory/heap.ts';
import { Ids } from '../../plugins/memory/ids.ts';
import {
  hybridRelevance,
  keepingKey,
  recencyOf,
  scoreOf,
  weightsProblem,
} from '../../plugins/memory/score.ts';

const HALF_LIFE_MS = 1_000;
const NOW = 1_800_000_000_000;

describe('recency', () => {
  it('halves with each half-life, and is never more than 1', () => {
    const recencies = [-500, 0, 1_000, 2_000, 10_000].map((age) =>
      recencyOf(NOW - age, NOW, HALF_LIFE_MS),
    );
    expect(recencies).toEqual([1, 1, 0.5, 0.25, 2 ** -10]);
  });
});

describe('a score', () => {
  it('is the mean of its parts by their weights', () => {
    expect(score(1, 1, 0)).toBe(1);
    expect(score(0.5, 0.25, 1_000)).toBeCloseTo((7 * 0.5 + 2 * 0.25 + 1 * 0.5) / 10, 12);
    expect(score(0.5, 1, 0, { relevance: 1, importance: 0, recency: 0 })).toBe(0.5);
  });

  it('is higher for what is more important, or newer, of equals', () => {
    expect(score(0.5, 0.9, 0)).toBeGreaterThan(score(0.5, 0.1, 0));
    expect(score(0.5, 0.5, 10)).toBeGreaterThan(score(0.5, 0.5, 5_000));
  });

  it('of text and vector together is a mean, too', () => {
    expect(hybridRelevance(1, 0.5, { text: 1, vector: 3 })).toBe(0.625);
    expect(hybridRelevance(0, 1, { text: 1, vector: 0 })).toBe(0);
  });

  it('takes only weights that are some', () => {
    const names = ['text', 'vector'];
    expect(weightsProblem({ text: 0, vector: 2 }, names)).toBeUndefined();
    for (const wrong of [{ text: -1 }, { words: 1 }, { text: NaN }, { text: '1' }, 3, null]) {
      expect(weightsProblem(wrong, names)).toMatch(/by the names text, vector/);
    }
  });
});

describe('the order of what is forgotten', () => {
  const entries = [
    { importance: 0, updatedAt: NOW },
    { importance: 0.01, updatedAt: NOW },
    { importance: 1, updatedAt: NOW - 6_000 },
    { importance: 0.5, updatedAt: NOW - 1_000 },
    { importance: 0.9, updatedAt: NOW - 1_000 },
    { importance: 0.5, updatedAt: NOW },
  ];
  const product = ({ importance, updatedAt }: (typeof entries)[0], now: number): number =>
    importance * recencyOf(updatedAt, now, HALF_LIFE_MS);

  it.each([0, 1_000, 60_000])('is that of importance × recency, also %i ms later', (later) => {
    const byKey = entries.toSorted(
      (a, b) => keepingKey(a, HALF_LIFE_MS) - keepingKey(b, HALF_LIFE_MS),
    );
    const byProduct = entries.toSorted((a, b) => product(a, NOW + later) - product(b, NOW + later));
    expect(byKey).toEqual(byProduct);
  });
});

describe('a heap', () => {
  const numbers = Array.from({ length: 200 }, (_, n) => (n * 7_919) % 211);

  it('gives back in order what was put into it', () => {
    const heap = new Heap(isLess);
    for (const n of numbers) heap.push(n);
    expect(heap.size).toBe(200);
    expect(heap.peek()).toBe(Math.min(...numbers));
    expect(numbers.map(() => heap.pop())).toEqual(numbers.toSorted((a, b) => a - b));
    expect([heap.pop(), heap.peek(), heap.size]).toEqual([undefined, undefined, 0]);
  });

  it('finds the greatest, greatest first', () => {
    const sorted = numbers.toSorted((a, b) => b - a);
    expect(greatest(numbers, 10, isLess)).toEqual(sorted.slice(0, 10));
    expect(greatest(numbers, 1_000, isLess)).toEqual(sorted);
    expect(greatest([], 3, isLess)).toEqual([]);
  });
});

describe('ids', () => {
  it('grow, also within a millisecond, when the clock goes back, and after another life', () => {
    const ids = new Ids();
    const given = [NOW, NOW, NOW + 1, NOW - 5_000, NOW + 2].map((now) => ids.next(now));
    const later = new Ids();
    later.follow(given.at(-1) ?? '');
    given.push(later.next(NOW - 60_000));
    expect(given.toSorted()).toEqual(given);
    expect(new Set(given).size).toBe(given.length);
  });
});

function score(
  relevance: number,
  importance: number,
  ageMs: number,
  weights = { relevance: 7, importance: 2, recency: 1 },
): number {
  const entry = { importance, updatedAt: NOW - ageMs };
  return scoreOf(relevance, entry, { weights, halfLifeMs: HALF_LIFE_MS, now: NOW });
}

function isLess(a: number, b: number): boolean {
  return a < b;
}
