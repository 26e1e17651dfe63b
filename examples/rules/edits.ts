/** What somebody does to the rules while the service runs. */
export interface Edit {
  readonly what: string;
  /** Of this text in rules.ts, that is made. */
  readonly of: string;
  readonly to: string;
  readonly isBroken: boolean;
}

export const EDITS: readonly Edit[] = [
  {
    what: 'a large order counts 35 instead of 20',
    of: 'points: 20',
    to: 'points: 35',
    isBroken: false,
  },
  {
    what: 'a comma too many',
    of: 'amount > 500',
    to: 'amount >, 500',
    isBroken: true,
  },
  {
    what: 'mended; large is what is above 900',
    of: 'amount >, 500',
    to: 'amount > 900',
    isBroken: false,
  },
];
