/** The bounds of the guard, and what is out of them. */
import { z } from 'zod';

import type { Question } from '../question.ts';
import { verdictOf, type Comparison, type Verdict } from './comparison.ts';
import type { Row } from './row.ts';

/** A ratio that CI holds. */
export interface Bounded extends Comparison {
  question: string;
  /** What it was when the bound was set, and what a breach means. */
  reason: string;
}

const SIDE = z.strictObject({ group: z.string(), contender: z.string() });
const FILE = z.strictObject({
  bounds: z.array(
    z.strictObject({
      question: z.string(),
      of: SIDE,
      against: SIDE,
      bound: z.union([
        z.strictObject({ atLeast: z.number().positive() }),
        z.strictObject({ atMost: z.number().positive() }),
      ]),
      reason: z.string().min(1),
    }),
  ),
});

/** Throws where the file is wrong, or names a question that there is not. */
export function boundsFrom(file: unknown, questions: readonly Pick<Question, 'name'>[]): Bounded[] {
  const { bounds } = FILE.parse(file);
  const unknown = bounds.find(({ question }) => !questions.some(({ name }) => name === question));
  if (unknown) throw new Error(`a bound is on ${unknown.question}, which is no question`);
  return bounds;
}

export function judged(
  bounds: readonly Bounded[],
  rows: readonly Row[],
  questions: readonly Pick<Question, 'name' | 'better'>[],
): Map<Bounded, Verdict> {
  return new Map(
    bounds.map((bound) => {
      const better = questions.find(({ name }) => name === bound.question)?.better ?? 'higher';
      return [bound, verdictOf(bound, { rows, better, peers: [] })];
    }),
  );
}

/** Also what could not be measured: a guard that sees nothing does not guard. */
export function breached(verdicts: ReadonlyMap<Bounded, Verdict>): Bounded[] {
  return [...verdicts].filter(([, { outcome }]) => outcome !== 'reached').map(([bound]) => bound);
}
