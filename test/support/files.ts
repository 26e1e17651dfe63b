/** Files that live as long as one test: broken ones can't lie in the repository. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { onTestFinished } from 'vitest';

/** A new folder with these files, by relative path. Returns its path. */
export async function temporaryFolder(files: Record<string, string> = {}): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'troupe-test-'));
  onTestFinished(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return folder;
}

/** A module's text as an entry. */
export function inline(source: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}
