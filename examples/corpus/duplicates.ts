/** The plugin `duplicates`: one document's MinHash signature. Keeps nothing. */
import { definePlugin } from 'troupe/plugin';

import { signatureOf } from './analysis/min-hash.ts';
import { crashFromTimer } from './sabotage.ts';

export interface SignatureRequest {
  readonly text: string;
  /** Crash over this document in the first life; the second life, which gets it again, does it. */
  readonly crash: boolean;
}

export default definePlugin<SignatureRequest, Int32Array>((ctx) => ({
  execute: ({ text, crash }) =>
    crash && ctx.generation === 1 ? crashFromTimer() : signatureOf(text),
}));
