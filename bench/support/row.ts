/** What a contender came to in one group of a question. */
export type Row = Measured | Failed;

export interface Measured extends Place {
  /** One a round; those of one group were measured in the same rounds, so they can be paired. */
  values: number[];
}

/** It hung, gave a wrong answer, or could not be started. */
export interface Failed extends Place {
  failed: string;
}

interface Place {
  group: string;
  contender: string;
  settings: string;
}

export function isMeasured(row: Row): row is Measured {
  return 'values' in row;
}

export function groupsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.map(({ group }) => group))];
}
