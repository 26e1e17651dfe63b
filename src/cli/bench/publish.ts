/** Where a result goes: to the terminal, to a pipe, to files. */
import { writeFile } from 'node:fs/promises';
import process from 'node:process';

import { failure, messageOf } from '../cli-error.ts';
import { paintFor, print, widthOf } from '../terminal.ts';
import type { Comparison } from './compare.ts';
import type { Failures } from './failures.ts';
import type { BenchOptions } from './options.ts';
import { plotSvg } from './plot-svg.ts';
import { renderReport, subtitleOf, titleOf, unitOf } from './report.ts';
import { summarise, type BenchResult } from './result.ts';

export function tell(
  result: BenchResult,
  comparison: Comparison | undefined,
  options: BenchOptions,
  failures: Failures,
): void {
  if (options.isJson) {
    print(JSON.stringify({ ...withSummaries(result), comparison }, null, 2));
    return;
  }
  const exampleOf = (code: string): string => failures.exampleOf(code);
  const { failOnRegressionPercent } = options;
  const [width, paint] = [widthOf(process.stdout), paintFor(process.stdout)];
  print(renderReport(result, { comparison, failOnRegressionPercent, exampleOf, width, paint }));
}

export async function save(
  result: BenchResult,
  { saveFile, plotFile }: BenchOptions,
): Promise<void> {
  const files = [
    [saveFile, () => `${JSON.stringify(withSummaries(result), null, 2)}\n`],
    [
      plotFile,
      () =>
        plotSvg(titleOf(result), subtitleOf(result), result.cells.map(summarise), unitOf(result)),
    ],
  ] as const;
  for (const [file, text] of files) {
    if (file === undefined) continue;
    await writeFile(file, text()).catch((error: unknown) => {
      throw failure(`${file} could not be written: ${messageOf(error)}`, error);
    });
  }
}

function withSummaries(result: BenchResult): object {
  const cells = result.cells.map((cell) => {
    const { threads, inFlight, rounds: _, ...summary } = summarise(cell);
    return { threads, inFlight, summary, rounds: cell.rounds };
  });
  return { ...result, cells };
}
