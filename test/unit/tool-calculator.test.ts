import { describe, expect, it } from 'vitest';

import { calculator } from '../../plugins/tool/builtin/calculator.ts';
import { outcomeOf } from '../support/tool-run.ts';

const compute = (expression: string): Promise<unknown> => outcomeOf(calculator(), { expression });

describe('the calculator', () => {
  it.each<[string, number]>([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['-2^2', -4],
    ['(-2)^2', 4],
    ['2^3^2', 512],
    ['2 ** -1', 0.5],
    ['2^-2^2', 0.0625],
    ['7 % 3 - -1', 2],
    ['- - 3', 3],
    ['1e3 + .5 + 2.', 1002.5],
    ['2 * pi', 2 * Math.PI],
    ['SQRT(16) + Max(1, 2, 3)', 7],
    ['round(1.005, 2)', 1.01],
    ['round(-2.5)', -3],
    ['round(1e21)', 1e21],
    ['log(8, 2) + log10(1000) + ln(e)', 7],
    ['fact(5) + mean(1, 2, 3) + sum(1, 2)', 125],
    ['deg(pi) + rad(180) - pi', 180],
    ['hypot(3, 4)', 5],
  ])('computes %s', async (expression, value) => {
    expect(await compute(expression)).toMatchObject({ value });
  });

  it('also tells a value as people write it', async () => {
    expect(await compute('0.1 + 0.2')).toEqual({ value: 0.1 + 0.2, text: '0.3' });
  });

  it.each([
    ['', 'CALC_SYNTAX'],
    ['1 +', 'CALC_SYNTAX'],
    ['1 2', 'CALC_SYNTAX'],
    ['(1', 'CALC_SYNTAX'],
    ['1)', 'CALC_SYNTAX'],
    ['sqrt', 'CALC_SYNTAX'],
    ['sqrt()', 'CALC_SYNTAX'],
    ['sqrt(1, 2)', 'CALC_SYNTAX'],
    ['log(8)', 'CALC_SYNTAX'],
    ['constructor', 'CALC_SYNTAX'],
    ['toString()', 'CALC_SYNTAX'],
    ['__proto__', 'CALC_SYNTAX'],
    ['pi.constructor', 'CALC_SYNTAX'],
    ['"a"', 'CALC_SYNTAX'],
    ['[1]', 'CALC_SYNTAX'],
    ['process.exit(1)', 'CALC_SYNTAX'],
    ['１ + 1', 'CALC_SYNTAX'],
    ['x = 1', 'CALC_SYNTAX'],
    ['('.repeat(5_000), 'CALC_SYNTAX'],
    ['-'.repeat(5_000), 'CALC_SYNTAX'],
    [`2${'^2'.repeat(4_000)}`, 'CALC_SYNTAX'],
    ['1'.repeat(10_001), 'CALC_SYNTAX'],
    ['1 / 0', 'CALC_NOT_FINITE'],
    ['sqrt(-1)', 'CALC_NOT_FINITE'],
    ['9^9^9', 'CALC_NOT_FINITE'],
    ['fact(-1)', 'CALC_NOT_FINITE'],
    ['fact(1e300)', 'CALC_NOT_FINITE'],
  ])('refuses %s', async (expression, code) => {
    expect(await compute(expression)).toBe(code);
  });

  it('says where an expression is wrong', async () => {
    await expect(async () =>
      calculator().execute({ expression: '1 + * 2' }, {} as never),
    ).rejects.toThrow("at character 5: expected a number, found '*'");
  });
});
