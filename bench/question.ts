/** A bench answers one question, in one process run, beside what it is compared with. */
export interface Question<Row = unknown> {
  /** On the command line, and of its result's file. */
  readonly name: string;
  readonly title: string;
  ask(options: QuestionOptions): Promise<Row[]>;
  /** For people: the head and the rows of a table, numbers to the right. */
  table(rows: readonly Row[]): { head: string[]; rows: string[][] };
  /** The answer, in a line or a few. */
  answer(rows: readonly Row[]): string[];
}

export interface QuestionOptions {
  /** Fewer and shorter runs: for a first look, not for figures. */
  quick: boolean;
  progress(what: string): void;
}
