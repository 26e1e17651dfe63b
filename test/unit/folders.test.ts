import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { watchFolders } from '../../src/kernel/folders.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/files.ts';

it('a watched file is told of again where it changes right after it was told of', async () => {
  const folder = await temporaryFolder({ 'a.txt': 'first' });
  const file = path.join(folder, 'a.txt');
  const seen: string[] = [];
  const watcher = await watchFolders([folder], 0, (changed) => {
    seen.push(readFileSync(changed, 'utf8'));
    if (seen.length === 1) writeFileSync(file, 'third');
  });
  onTestFinished(() => watcher.close());
  writeFileSync(file, 'second');
  await eventually(() => seen.length > 1);
  expect(seen.at(-1)).toBe('third');
});
