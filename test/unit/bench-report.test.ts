import { describe, expect, it } from 'vitest';

import { latencyChart, throughputChart } from '../../src/cli/bench/chart.ts';
import { compare } from '../../src/cli/bench/compare.ts';
import * as format from '../../src/cli/bench/format.ts';
import { plotSvg } from '../../src/cli/bench/plot-svg.ts';
import { renderReport, type ReportOptions } from '../../src/cli/bench/report.ts';
import { summarise } from '../../src/cli/bench/result.ts';
import { plain } from '../../src/cli/terminal.ts';
import { cell, result, round } from '../support/bench-result.ts';

const OPTIONS: ReportOptions = {
  comparison: undefined,
  failOnRegressionPercent: undefined,
  exampleOf: (code) => `why ${code}`,
  width: 80,
  paint: plain,
};

const SWEEP = result([
  cell(1, 1, round(11_000), round(13_000)),
  cell(1, 256, round(1_234_567), round(1_234_567)),
  cell(2, 256, round(654_321), round(654_321)),
]);

describe('a report', () => {
  it('fits 80 columns, also with a comparison and large figures', () => {
    const comparison = compare(SWEEP, SWEEP.cells, []);
    const text = renderReport(SWEEP, { ...OPTIONS, comparison, failOnRegressionPercent: 10 });
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).toContain('No cell is more than 10 % slower, beyond the spread.');
  });

  it('has a row for each cell', () => {
    const text = renderReport(result([cell(1, 16, round(900), round(1_100))]), OPTIONS);
    expect(text.split('\n')).toEqual([
      'Primes 1.2.3',
      'isolation thread, troupe 0.1.0, Node 20.20.2, linux-x64, 2 × Abacus',
      '2 rounds of 1 s after 300 ms · inputs: in.json (3 inputs)',
      '',
      '  threads  in flight  calls/s    spread  failed  plugin  caller   memory',
      '        1         16    1,000  ± 10.0 %       0    50 %    25 %  5.0 MiB',
      '',
      '  threads  in flight  latency ms: mean    p50    p90   p99   max',
      '        1         16             0.200  0.100  0.300  1.00  5.00',
      '',
      '  in flight calls/s',
      `         16 ${'█'.repeat(62)} 1,000`,
      '',
      '  in flight latency, ms: ● p50  ○ p99',
      `         16 ●${'─'.repeat(66)}○`,
      `            0.1${' '.repeat(64)}1`,
    ]);
  });

  it('says what failed, why, and that a plugin crashed', () => {
    const failing = round(10, { failures: { CALL_FAILED: 3, CALL_TIMEOUT: 1 }, crashes: 2 });
    const text = renderReport(result([cell(1, 1, failing, failing)]), OPTIONS);
    expect(text).toContain('6 calls failed with CALL_FAILED: why CALL_FAILED');
    expect(text).toContain('2 calls failed with CALL_TIMEOUT: why CALL_TIMEOUT');
    expect(text).toContain('The plugin crashed 4 times.');
  });

  it('of a plugin that answered nothing has no plots', () => {
    const nothing = round(0, { succeeded: 0, failures: { CALL_FAILED: 9 }, latencyMs: undefined });
    const text = renderReport(result([cell(1, 1, nothing)], { isPartial: true }), OPTIONS);
    expect(text).toContain('Not complete');
    expect(text).not.toMatch(/[█●]/);
  });

  it('says where the caller is the limit', () => {
    const text = renderReport(result([cell(1, 1, round(10, { callerBusy: 0.97 }))]), OPTIONS);
    expect(text).toContain('Where the caller is busy, its own thread is the limit');
  });
});

describe('a chart', () => {
  const rows = SWEEP.cells.map(summarise);

  it('draws bars to scale, in eighths of a letter', () => {
    const lines = throughputChart(rows, 'calls', 60, plain).split('\n');
    expect(lines.map((line) => line.length)).toEqual([29, 60, 60, 60]);
    expect(lines.map((line) => line.replaceAll(/[^█▏▎▍▌▋▊▉]/g, '').length)).toEqual([0, 1, 28, 15]);
  });

  it('draws latency on powers of ten', () => {
    const one = summarise(
      cell(1, 1, round(1, { latencyMs: { mean: 1, p50: 1, p90: 1, p99: 1, max: 1 } })),
    );
    expect(latencyChart([one], 'latency', 32, plain).split('\n')).toEqual([
      '  in flight latency, ms: ● p50  ○ p99',
      '          1 ◉',
      '            1                 10',
    ]);
  });
});

describe('an SVG', () => {
  it('has a line for each number of threads, and hides no markup in names', () => {
    const svg = plotSvg('a <b> & c', 'sub', SWEEP.cells.map(summarise), 'calls');
    expect(svg).toContain('<title>a &lt;b> &amp; c</title>');
    expect(svg.match(/<polyline/g)).toHaveLength(6);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it.each([
    ['one cell', [cell(1, 1, round(1))]],
    ['no answered call', [cell(1, 1, round(0, { latencyMs: undefined }))]],
    ['nothing', []],
  ])('is whole with %s', (_, cells) => {
    expect(plotSvg('a', 'b', cells.map(summarise), 'calls')).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('a figure', () => {
  it('has three digits that count', () => {
    expect([0.01234, 1.234, 12.34, 123.4, 12_345.6].map(format.rate)).toEqual([
      '0.012',
      '1.23',
      '12.3',
      '123',
      '12,346',
    ]);
  });

  it('has its sign where it is a change', () => {
    expect([12.34, -0.01, -3, undefined].map(format.change)).toEqual([
      '+12.3 %',
      '0.0 %',
      '−3.0 %',
      '–',
    ]);
  });

  it('has a unit that fits', () => {
    expect([format.duration(300), format.duration(1_500), format.duration(600_000)]).toEqual([
      '300 ms',
      '1.5 s',
      '10 min',
    ]);
    expect([format.memory(1_572_864), format.share(0.349), format.count(1, 'call')]).toEqual([
      '1.5 MiB',
      '35 %',
      '1 call',
    ]);
  });
});
