import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { checkComparable, compare, regressions } from '../../src/cli/bench/compare.ts';
import { readResult } from '../../src/cli/bench/read-result.ts';
import { cell, result, round } from '../support/bench-result.ts';
import { temporaryFolder } from '../support/files.ts';

describe('a comparison', () => {
  it('says of each cell how it changed, and whether that is beyond the spread', () => {
    const slow = { mean: 0.4, p50: 0.2, p90: 0.3, p99: 1.5, max: 5 };
    const earlier = result([
      cell(1, 1, round(90), round(110)),
      cell(1, 16, round(100), round(100)),
      cell(1, 64, round(100)),
    ]);
    const now = [
      cell(1, 1, round(95), round(109)),
      cell(1, 16, round(50, { latencyMs: slow }), round(50, { latencyMs: slow })),
      cell(1, 64, round(50), round(50)),
      cell(2, 16, round(100)),
    ];
    const comparison = compare(earlier, now, ['another Node']);
    expect(comparison).toMatchObject({
      with: earlier.at,
      unmatched: 1,
      warnings: ['another Node'],
      cells: [
        { inFlight: 1, perSecBefore: 100, perSecNow: 102, isBeyondSpread: false },
        { inFlight: 16, perSecChange: -50, p50Change: 100, p99Change: 50, isBeyondSpread: true },
        { inFlight: 64, perSecChange: -50, isBeyondSpread: undefined },
      ],
    });
    expect(comparison.cells[0]?.perSecChange).toBeCloseTo(2);
  });

  it('finds what is slower by more than that and beyond the spread, or does not work any more', () => {
    const earlier = result([
      cell(1, 1, round(99), round(101)),
      cell(1, 2, round(40), round(160)),
      cell(1, 4, round(99), round(101)),
      cell(1, 8, round(99), round(101)),
    ]);
    const nothing = round(0, { succeeded: 0, failures: { CALL_FAILED: 9 }, latencyMs: undefined });
    const now = [
      cell(1, 1, round(80), round(82)),
      cell(1, 2, round(50), round(52)),
      cell(1, 4, nothing, nothing),
      cell(1, 8, round(200), round(200)),
    ];
    const found = (percent: number): number[] =>
      regressions(compare(earlier, now), percent).map(({ inFlight }) => inFlight);
    expect(found(10)).toEqual([1, 4]);
    expect(found(30)).toEqual([4]);
  });

  it('of the same is without a warning', () => {
    expect(checkComparable(result([]), result([]))).toEqual([]);
  });

  it('warns of what differs', () => {
    const earlier = result([], {
      node: '22.0.0',
      plugin: { id: 'b', name: 'B', version: '1.0.0' },
    });
    expect(checkComparable(earlier, result([]))).toEqual([
      'the earlier result is of another plugin: b, now primes',
      'the earlier result is of another Node: 22.0.0, now 20.20.2',
    ]);
  });

  it('is refused where the figures mean different things', () => {
    const now = result([]);
    const others = { ...now, inputs: { source: 'in.json', count: 2, sha256: 'other' } };
    const stream = { ...now, options: { ...now.options, isStream: true } };
    expect(() => checkComparable(others, now)).toThrow(
      'the earlier result had other inputs (in.json has changed since): measure both with the same ones',
    );
    expect(() => checkComparable(stream, now)).toThrow(
      'the earlier result counts chunks, this one calls: give --stream to both or to none',
    );
  });
});

describe('an earlier result', () => {
  it('is read as it was written', async () => {
    const before = result([cell(1, 1, round(10, { latencyMs: undefined }), round(12))]);
    expect(await read(JSON.stringify(before))).toEqual(JSON.parse(JSON.stringify(before)));
  });

  const good = result([cell(1, 1, round(10))]);
  it.each([
    ['[1', /before\.json is not JSON/],
    ['null', /is no result of troupe bench: --save FILE writes one/],
    ['{"format":"else"}', /is no result of troupe bench/],
    [JSON.stringify({ ...good, formatVersion: 2 }), /is of another version of troupe bench/],
    [JSON.stringify({ ...good, machine: undefined }), /is a damaged result/],
    [JSON.stringify({ ...good, cells: [{ threads: 1, inFlight: 1 }] }), /is a damaged result/],
    [
      JSON.stringify(result([cell(1, 1, { ...round(1), callsPerSec: Number.NaN })])),
      /is a damaged result/,
    ],
  ])('that is none is refused: %s', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });

  it('that is missing is refused', async () => {
    await expect(readResult('nowhere.json')).rejects.toThrow(
      /^--compare nowhere\.json cannot be read/,
    );
  });
});

async function read(text: string): Promise<unknown> {
  const file = path.join(await temporaryFolder(), 'before.json');
  await writeFile(file, text);
  return readResult(file);
}
