/** A file that comes to its name only once it is whole. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

export interface Draft {
  /** An empty file beside the one it is to be, which its owner alone may read. */
  readonly path: string;
  /** Gives it its name, in place of a file that had it. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** @throws Error that says in words why the file cannot be made. */
export async function createDraft(file: string): Promise<Draft> {
  const there = await stat(file).catch(() => undefined);
  if (there && !there.isFile()) throw new Error('it is there, and is not a file');
  const draft = path.join(path.dirname(file), `.troupe-${randomUUID()}.draft`);
  try {
    const handle = await open(draft, 'wx', 0o600);
    await handle.close();
  } catch (error) {
    throw new Error(inWords(error), { cause: error });
  }
  return {
    path: draft,
    commit: () => rename(draft, file),
    discard: () => rm(draft, { force: true }),
  };
}

const WORDS: Record<string, string> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is not a folder',
  EACCES: 'its folder may not be written to',
  EPERM: 'its folder may not be written to',
  EROFS: 'its folder may not be written to',
};

function inWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return WORDS[code] ?? `its folder cannot be written to (${code || String(error)})`;
}
