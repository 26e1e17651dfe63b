import { describe, expect, it } from 'vitest';

import { quantile, ratiosOf, spreadOf } from '../../bench/support/statistics.ts';
import { figure, said, times } from '../../bench/support/units.ts';

describe('a spread', () => {
  it('is the median, the quartiles and the extremes, in whatever order the values came', () => {
    expect(spreadOf([50, 10, 40, 20, 30])).toEqual({
      median: 30,
      lowerQuartile: 20,
      upperQuartile: 40,
      min: 10,
      max: 50,
    });
  });

  it('lies between two values where the rank does', () => {
    expect(spreadOf([1, 2, 3, 4])).toEqual({
      median: 2.5,
      lowerQuartile: 1.75,
      upperQuartile: 3.25,
      min: 1,
      max: 4,
    });
  });

  it('of one value is that value', () => {
    expect(spreadOf([7])).toEqual({
      median: 7,
      lowerQuartile: 7,
      upperQuartile: 7,
      min: 7,
      max: 7,
    });
  });

  it('of nothing is not a number', () => {
    expect(quantile([], 0.5)).toBeNaN();
    expect(spreadOf([]).median).toBeNaN();
  });

  it('leaves its values as they were', () => {
    const values = [3, 1, 2];
    spreadOf(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('ratios', () => {
  it('are made round by round, so that a slow round for both changes nothing', () => {
    expect(ratiosOf([20, 2, 20], [10, 1, 10])).toEqual([2, 2, 2]);
  });

  it('leave out rounds that only one has', () => {
    expect(ratiosOf([4, 6, 8], [2, 2])).toEqual([2, 3]);
    expect(ratiosOf([4, 6], [2, 2, 2])).toEqual([2, 3]);
  });
});

describe('a figure for people', () => {
  it('has three digits, or all before the point', () => {
    expect([1_234.5, 123.4, 12.34, 1.234, 0.5].map(figure)).toEqual([
      '1,235',
      '123',
      '12.3',
      '1.23',
      '0.50',
    ]);
  });

  it('has the unit that is read best', () => {
    expect(said(412_345, 'calls/s')).toBe('412 k/s');
    expect(said(512, 'chunks/s')).toBe('512/s');
    expect(said(285.4, 'jobs/s')).toBe('285/s');
    expect(said(81.23, 'µs')).toBe('81.2 µs');
    expect(said(2_540, 'µs')).toBe('2.54 ms');
    expect(said(39.5, 'ms')).toBe('39.5 ms');
    expect(said(9.27, 'MiB')).toBe('9.27 MiB');
    expect(times(2.345)).toBe('2.35 ×');
  });
});
