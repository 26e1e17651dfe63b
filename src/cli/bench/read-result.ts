/** Reads an earlier result, which somebody may have edited, or which is something else altogether. */
import { readFile } from 'node:fs/promises';

import { messageOf, usageError } from '../cli-error.ts';
import { parseJson } from './parse-inputs.ts';
import { FORMAT, FORMAT_VERSION, type BenchResult } from './result.ts';

export async function readResult(file: string): Promise<BenchResult> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError(`--compare ${file} cannot be read: ${messageOf(error)}`);
  });
  const value = parseJson(text, file);
  if (!isRecord(value) || value['format'] !== FORMAT) {
    throw usageError(`${file} is no result of troupe bench: --save FILE writes one`);
  }
  if (value['formatVersion'] !== FORMAT_VERSION) {
    throw usageError(`${file} is of another version of troupe bench: measure it again`);
  }
  if (isResult(value)) return value;
  throw usageError(`${file} is a damaged result of troupe bench: measure it again`);
}

/** What a comparison reads of it is there. */
function isResult(value: unknown): value is BenchResult {
  if (!isRecord(value)) return false;
  const { plugin, inputs, options, machine, cells } = value;
  return (
    [plugin, inputs, options, machine].every(isRecord) &&
    [value['at'], value['node'], value['troupe']].every((each) => typeof each === 'string') &&
    Array.isArray(cells) &&
    cells.every(
      (cell) =>
        isRecord(cell) &&
        isNumber(cell['threads']) &&
        isNumber(cell['inFlight']) &&
        Array.isArray(cell['rounds']) &&
        cell['rounds'].every(isRound),
    )
  );
}

function isRound(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { callsPerSec, chunksPerSec, latencyMs, failures, succeeded } = value;
  return (
    isNumber(callsPerSec) &&
    isNumber(succeeded) &&
    (chunksPerSec === undefined || isNumber(chunksPerSec)) &&
    (latencyMs === undefined ||
      (isRecord(latencyMs) &&
        ['mean', 'p50', 'p90', 'p99', 'max'].every((name) => isNumber(latencyMs[name])))) &&
    isRecord(failures) &&
    Object.values(failures).every(isNumber)
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
