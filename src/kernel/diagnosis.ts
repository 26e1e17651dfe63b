/** Looks at one plugin for a program: what it asked for, checked, and handed on. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { PluginError } from '../protocol/errors.ts';
import {
  PROFILE_MS,
  PROFILE_MS_MAX,
  SAMPLING_INTERVAL_US,
  SAMPLING_INTERVAL_US_MAX,
  SAMPLING_INTERVAL_US_MIN,
} from '../protocol/limits.ts';
import type { CpuProfileReport, HeapSnapshotReport } from '../protocol/report.ts';
import type { Diagnosis } from '../supervisor/diagnosis.ts';
import type { Keeper } from '../supervisor/keeper.ts';

export interface HeapSnapshotOptions {
  /** What to write: a path or a `file:` URL. Its folder is there; a file of that name is replaced. */
  file: string | URL;
  signal?: AbortSignal | undefined;
  /** Which replica, of a plugin that has any. Default 0. */
  replica?: number | undefined;
}

export interface CpuProfileOptions extends HeapSnapshotOptions {
  /** How long it is watched (ms), 1 to 60,000. Default 5,000. */
  durationMs?: number | undefined;
  /** Between two samples (µs), 100 to 100,000. Default 1,000. */
  samplingIntervalUs?: number | undefined;
}

export async function cpuProfile(
  keeper: Keeper,
  options: CpuProfileOptions,
): Promise<CpuProfileReport> {
  const { id } = keeper;
  const what = `the CPU profile of ${id}`;
  const { durationMs = PROFILE_MS, samplingIntervalUs = SAMPLING_INTERVAL_US } = options ?? {};
  const file = checkedFile(id, what, options);
  requireRange(id, what, { durationMs }, 1, PROFILE_MS_MAX);
  requireRange(
    id,
    what,
    { samplingIntervalUs },
    SAMPLING_INTERVAL_US_MIN,
    SAMPLING_INTERVAL_US_MAX,
  );
  const diagnosis = diagnosisOf(keeper, what, options);
  return diagnosis.cpuProfile({ file, signal: options.signal, durationMs, samplingIntervalUs });
}

export async function heapSnapshot(
  keeper: Keeper,
  options: HeapSnapshotOptions,
): Promise<HeapSnapshotReport> {
  const { id } = keeper;
  const what = `the heap snapshot of ${id}`;
  const file = checkedFile(id, what, options);
  return diagnosisOf(keeper, what, options).heapSnapshot({ file, signal: options.signal });
}

function diagnosisOf(
  keeper: Keeper,
  what: string,
  { replica = 0 }: HeapSnapshotOptions,
): Diagnosis {
  const diagnosis = keeper.diagnosisOf(replica);
  if (diagnosis) return diagnosis;
  throw wrong(keeper.id, 'replica', `${what}: there is no replica ${String(replica)} now`);
}

/** Programs without types may give anything. */
function checkedFile(id: string, what: string, options: { file?: unknown } | undefined): string {
  const { file } = options ?? {};
  if (typeof file === 'string' && file !== '') return path.resolve(file);
  if (file instanceof URL && file.protocol === 'file:') return path.resolve(fileURLToPath(file));
  throw wrong(id, 'file', `${what} needs "file": a path or a file: URL`);
}

function requireRange(
  id: string,
  what: string,
  option: Record<string, unknown>,
  min: number,
  max: number,
): void {
  for (const [name, value] of Object.entries(option)) {
    if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) continue;
    const range = `a whole number from ${String(min)} to ${String(max)}`;
    throw wrong(id, name, `${what}: "${name}" is ${String(value)}; it must be ${range}`);
  }
}

function wrong(id: string, field: string, message: string): PluginError {
  return new PluginError('INVALID_SPEC', message, { pluginId: id, data: { field } });
}
