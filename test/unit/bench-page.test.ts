import { describe, expect, it } from 'vitest';

import { page, picture } from '../../bench/page.ts';
import type { Question } from '../../bench/question.ts';
import { columnsFor, topOf } from '../../bench/support/chart.ts';
import type { Environment } from '../../bench/support/environment.ts';
import { resultOf } from '../../bench/support/result.ts';
import type { Row } from '../../bench/support/row.ts';
import { figures, targets } from '../../bench/support/table.ts';

const ENVIRONMENT: Environment = {
  node: 'v20.20.2',
  platform: 'linux x64',
  cpu: 'Some <CPU>',
  cores: 2,
  memoryGb: 24,
  commit: 'abc1234',
  at: '2030-01-02T03:04:05.000Z',
};
const QUESTION: Question = {
  name: 'calls',
  title: 'How many calls?',
  about: 'They are counted.',
  unit: 'calls/s',
  better: 'higher',
  base: 'bare',
  scale: 'own',
  targets: [2, 4].map((atLeast) => ({
    of: { group: '1 in flight', contender: 'troupe' },
    against: { group: '1 in flight', contender: 'bare' },
    bound: { atLeast },
  })),
  ask: async () => [],
};
const ROWS: Row[] = [
  { group: '1 in flight', contender: 'troupe', settings: 'default', values: [3_000, 3_030, 2_970] },
  {
    group: '1 in flight',
    contender: 'bare',
    settings: 'a message each',
    values: [1_000, 1_010, 990],
  },
  { group: '1 in flight', contender: 'pool', settings: '1 thread', failed: 'no answer within 3 s' },
];
const RESULT = resultOf(QUESTION, { rows: ROWS, seconds: 12.3, environment: ENVIRONMENT });

describe('a result', () => {
  it('says what, where and how it was measured, with all values and their spread', () => {
    expect(RESULT).toMatchObject({
      question: 'calls',
      unit: 'calls/s',
      better: 'higher',
      seconds: 12,
      environment: ENVIRONMENT,
    });
    expect(RESULT.rows[0]).toEqual({
      ...ROWS[0],
      spread: { median: 3_000, lowerQuartile: 2_985, upperQuartile: 3_015, min: 2_970, max: 3_030 },
    });
    expect(RESULT.rows[2]).toEqual(ROWS[2]);
  });
});

describe('a table', () => {
  it('gives every contender its figures and its ratio, and who failed its reason', () => {
    expect(figures(QUESTION, ROWS)).toEqual({
      head: ['', 'contender', 'median', 'quartiles', 'min – max', '× bare'],
      rows: [
        [
          '1 in flight',
          'troupe',
          '3.00 k/s',
          '2.99 k/s – 3.02 k/s',
          '2.97 k/s – 3.03 k/s',
          '3.00 ×',
        ],
        ['', 'bare', '1.00 k/s', '995/s – 1.01 k/s', '990/s – 1.01 k/s', '1.00 ×'],
        ['', 'pool', 'failed: no answer within 3 s', '', '', ''],
      ],
    });
  });

  it('says of every target whether it is reached', () => {
    expect(targets(QUESTION, ROWS).rows).toEqual([
      ['1 in flight: troupe against bare', 'at least 2 ×', '3.00 ×', '3.00 × – 3.00 ×', 'reached'],
      [
        '1 in flight: troupe against bare',
        'at least 4 ×',
        '3.00 ×',
        '3.00 × – 3.00 ×',
        'not reached',
      ],
    ]);
  });
});

describe('the page', () => {
  const written = page([
    { question: QUESTION, result: RESULT, note: 'Because of the weather.' },
    { question: { ...QUESTION, name: 'later' }, result: undefined, note: '' },
  ]);

  it('begins with all targets, and says plainly which are not reached', () => {
    const [, summary = ''] = written.split('## Targets');
    expect(summary).toContain(
      '| [calls](#calls) | 1 in flight: troupe against bare | at least 2 × | 3.00 × | reached |',
    );
    expect(summary).toContain('| at least 4 × | 3.00 × | **not reached** |');
    expect(summary).toContain('| troupe was not measured |');
  });

  it('has for each question its plot, its table, its note, its settings and its machine', () => {
    const [, section = ''] = written.split('\n## calls\n');
    expect(section).toContain('![How many calls?](benchmarks/calls.svg)');
    expect(section).toContain('|  | pool | failed: no answer within 3 s |');
    expect(section).toContain('Because of the weather.');
    expect(section).toContain('- bare: a message each');
    expect(section).toContain('commit abc1234, 2030-01-02');
    expect(section).toContain('(../bench/results/calls.json)');
  });

  it('says so where a question was not asked yet', () => {
    expect(written).toContain(
      '## later\n\n**How many calls?** They are counted.\n\nNot measured yet.',
    );
  });
});

describe('a picture', () => {
  const drawn = picture(QUESTION, RESULT);

  it('has a bar for each figure, with the figure beside it, ours apart from the others', () => {
    expect(drawn.match(/<rect class="ours"/g)).toHaveLength(1);
    expect(drawn.match(/<rect class="bar"/g)).toHaveLength(1);
    expect(drawn).toContain('>3.00 k/s</text>');
    expect(drawn).toContain('class="failed">no answer within 3 s</text>');
  });

  it('is readable on light and dark pages, and no text breaks it', () => {
    expect(drawn).toContain('@media (prefers-color-scheme: dark)');
    expect(drawn).toContain('Some &lt;CPU>');
    expect(drawn).not.toContain('NaN');
  });

  it('ends where the highest bar or quartile does', () => {
    expect(topOf(ROWS)).toBe(3_015);
    expect(topOf([])).toBeGreaterThan(0);
  });

  it('has its panels in rows of three, but for four', () => {
    expect([0, 1, 2, 3, 4, 6, 7].map(columnsFor)).toEqual([1, 1, 2, 3, 2, 3, 3]);
  });
});
