/** The answer to a question as it is kept: one JSON file for each. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

import type { Question } from '../question.ts';
import type { Environment } from './environment.ts';
import { isMeasured, type Row } from './row.ts';
import { spreadOf, type Spread } from './statistics.ts';
import type { Unit } from './units.ts';

export interface Result {
  question: string;
  title: string;
  unit: Unit;
  better: 'higher' | 'lower';
  environment: Environment;
  seconds: number;
  rows: KeptRow[];
}

/** For who reads the file: the spread is that of the values. */
type KeptRow = Row & { spread?: Spread };

const RESULTS = new URL('../results/', import.meta.url);
/** Of a figure in a file; no measurement is as good as that. */
const DIGITS = 5;

export function resultOf(
  { name, title, unit, better }: Question,
  measured: { rows: readonly Row[]; seconds: number; environment: Environment },
): Result {
  const { rows, seconds, environment } = measured;
  return {
    question: name,
    title,
    unit,
    better,
    environment,
    seconds: Math.round(seconds),
    rows: rows.map((row) => {
      if (!isMeasured(row)) return row;
      const values = row.values.map(short);
      return Object.assign({ ...row }, { values, spread: shortened(spreadOf(values)) });
    }),
  };
}

export function keep(result: Result): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(fileOf(result.question), `${JSON.stringify(result, null, 2)}\n`);
}

/** `undefined` where the question was never asked. */
export function kept(question: string): Result | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(question), 'utf8')) as Result;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function fileOf(question: string): URL {
  return new URL(`${question}.json`, RESULTS);
}

function shortened({ median, lowerQuartile, upperQuartile, min, max }: Spread): Spread {
  return {
    median: short(median),
    lowerQuartile: short(lowerQuartile),
    upperQuartile: short(upperQuartile),
    min: short(min),
    max: short(max),
  };
}

function short(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
