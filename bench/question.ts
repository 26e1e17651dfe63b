/** A bench answers one question, beside what it is compared with, as rows of figures. */
import type { Comparison } from './support/comparison.ts';
import type { Row } from './support/row.ts';
import type { Unit } from './support/units.ts';

export interface Question {
  /** On the command line, and of its result's file. */
  readonly name: string;
  readonly title: string;
  /** What is done, and with what, for the page. */
  readonly about: string;
  readonly unit: Unit;
  readonly better: 'higher' | 'lower';
  /** Whom the others are compared with, in each group. */
  readonly base: string;
  /** Whether the panels of its picture share one scale: where groups are to be compared, too. */
  readonly scale: 'shared' | 'own';
  /** What is aimed at. */
  readonly targets: readonly Comparison[];
  ask(options: QuestionOptions): Promise<Row[]>;
}

export interface QuestionOptions {
  /** Fewer and shorter rounds: for a first look, not for figures. */
  quick: boolean;
  /** Only these contenders; all where none is named. */
  only?: readonly string[];
  progress(what: string): void;
}
