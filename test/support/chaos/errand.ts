/** One thing that a plugin of a chaos run is asked for, and how it may end. */
import { isDeepStrictEqual } from 'node:util';

import type { ExecuteOptions } from 'troupe';

import type { Cast, Member } from './cast.ts';
import type { Random } from './random.ts';

/** `ok`, or the code of the error. */
export type Ending = string;

/** One call, drawn. */
export interface Errand {
  deed: string;
  input: unknown;
  options: ExecuteOptions;
  /** How it may end, beside what may happen to any call. */
  ends: readonly Ending[];
  /** It is refused before it is accepted, and ends in no other way. */
  refused: boolean;
  /** Its caller gives up then (ms); 0: before it is made. */
  abortAfterMs: number | undefined;
  /** Read as a stream of 0, 1, … : so many chunks, and where the reader breaks off. */
  read: { chunks: number; breakAfter: number } | undefined;
  /** Whether a result is the right one. */
  isRight(result: unknown): boolean;
  /** A key of the shared state that counts its runs. */
  countedIn: string | undefined;
}

/** What an errand is drawn from. */
export interface Draw {
  random: Random;
  step: number;
  target: Member;
  cast: Cast;
}

export interface Deed {
  name: string;
  weight: number;
  /** Where it may be asked for; everywhere, where nothing is said. */
  fits?(target: Member): boolean;
  draw(from: Draw): Partial<Errand>;
}

/** A result has to be that. */
export const same = (value: unknown) => (result: unknown) => isDeepStrictEqual(result, value);
