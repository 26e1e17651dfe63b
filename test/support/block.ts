/** What keeps a fixture in a system call: until it is let go, or the test has ended. */
import { rm } from 'node:fs/promises';
import path from 'node:path';

import { temporaryFolder } from './files.ts';

export interface Block {
  /** Whoever waits in the system for its end stays there. */
  file: string;
  /** The input to `idler` that blocks its thread. */
  input: { way: string; file: string };
  release(): Promise<void>;
}

export async function newBlock(): Promise<Block> {
  const file = path.join(await temporaryFolder({ block: '' }), 'block');
  return { file, input: { way: 'block-in-call', file }, release: () => rm(file) };
}
