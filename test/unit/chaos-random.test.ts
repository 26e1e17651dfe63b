import { describe, expect, it } from 'vitest';

import { Random } from '../support/chaos/random.ts';

const draw = (seed: number, count: number): number[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.next());
};

describe('chance in tests', () => {
  it('draws the same from the same seed, and something else from another', () => {
    expect(draw(7, 100)).toEqual(draw(7, 100));
    expect(draw(7, 100)).not.toEqual(draw(8, 100));
  });

  it('is even', () => {
    const drawn = draw(1, 10_000);
    for (let tenth = 0; tenth < 10; tenth++) {
      const count = drawn.filter((each) => Math.floor(each * 10) === tenth).length;
      expect(Math.abs(count - 1_000)).toBeLessThan(120);
    }
  });

  it('picks as often as the weights say', () => {
    const random = new Random(1);
    const list = [
      { name: 'rare', weight: 1 },
      { name: 'often', weight: 9 },
      { name: 'never', weight: 0 },
    ];
    const picked = Array.from({ length: 1_000 }, () => random.weighted(list).name);
    const rare = picked.filter((name) => name === 'rare').length;
    expect(picked).not.toContain('never');
    expect(rare).toBeGreaterThan(60);
    expect(rare).toBeLessThan(140);
  });
});
