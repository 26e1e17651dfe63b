import { describe, expect, it } from 'vitest';

import { plot } from '../soak/plot.ts';
import { trendOf, type Point } from '../soak/trend.ts';

/** A sample each 10 restarts. */
const samples = (values: readonly number[]): Point[] =>
  values.map((value, i) => ({ restarts: 10 * (i + 1), value }));
const series = (value: (i: number) => number, length = 20): Point[] =>
  samples(Array.from({ length }, (_, i) => value(i)));
const COUNT = { room: { absolute: 1 } };

describe('the trend of a soak', () => {
  it('is flat where nothing changes, and where it falls', () => {
    expect(
      trendOf(
        series(() => 7),
        COUNT,
      ),
    ).toEqual({
      first: 7,
      middle: 7,
      last: 7,
      max: 7,
      slopePer1000: 0,
      growth: 0,
      room: 1,
      isFlat: true,
    });
    expect(
      trendOf(
        series((i) => 100 - i),
        COUNT,
      ).isFlat,
    ).toBe(true);
  });

  it('tells a slow leak: one for each ten restarts', () => {
    const trend = trendOf(
      series((i) => 50 + i),
      COUNT,
    );
    expect(trend).toMatchObject({ first: 50, middle: 60, last: 69, growth: 9, isFlat: false });
    expect(trend.slopePer1000).toBeCloseTo(100);
  });

  it('lets the first half warm up', () => {
    expect(
      trendOf(
        series((i) => Math.min(10, i)),
        COUNT,
      ).isFlat,
    ).toBe(true);
    expect(
      trendOf(
        series((i) => Math.max(10, i)),
        COUNT,
      ).isFlat,
    ).toBe(false);
  });

  it('does not mind a few odd samples, nor noise around a level', () => {
    const odd = trendOf(
      series((i) => (i === 12 || i === 19 ? 1_000 : 5)),
      COUNT,
    );
    expect(odd).toMatchObject({ growth: 0, last: 1_000, max: 1_000, isFlat: true });
    expect(
      trendOf(
        series((i) => 20 + (i % 3)),
        COUNT,
      ).isFlat,
    ).toBe(true);
  });

  it('allows a share of the value where that is more', () => {
    const memory = { room: { absolute: 1, share: 0.05 } };
    expect(
      trendOf(
        series((i) => 200 + i),
        memory,
      ),
    ).toMatchObject({ growth: 9, isFlat: true });
    expect(
      trendOf(
        series((i) => 100 + i),
        memory,
      ),
    ).toMatchObject({ growth: 9, isFlat: false });
  });

  it('of one sample is flat', () => {
    expect(trendOf(samples([3]), COUNT)).toMatchObject({ first: 3, last: 3, isFlat: true });
  });
});

describe('the plot of a soak', () => {
  it('has a panel for each quantity, from 0, and says what came of it', () => {
    const points = series((i) => 1_000 + 100 * i);
    const trend = trendOf(points, COUNT);
    const svg = plot('a < b', 'subtitle', [{ title: 'things', unit: 'MiB', points, trend }]);
    expect(svg).toMatch(/^<svg xmlns=.*<\/svg>\n$/s);
    expect(svg).toContain('a &lt; b');
    expect(svg).toContain('✗ grows');
    expect(svg).toContain('2,900 MiB in the end, +10,000 MiB per 1,000');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const [, path = ''] = /<polyline class="line" points="([^"]*)"/.exec(svg) ?? [];
    expect(path.split(', ')).toHaveLength(points.length);
  });
});
