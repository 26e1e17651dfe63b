/** The test's end of the words that a fixture counts in. */
import { readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import type { PluginManager } from 'troupe';

import { fileWords, memoryWords, wordsFile, type Words } from '../fixtures/words.mjs';
import { ISOLATION } from './isolation.ts';

export async function wordsOf(manager: PluginManager, name: string, count: number): Promise<Words> {
  if (ISOLATION === 'process') return fileWords(wordsFile(manager.id, name));
  return memoryWords(await manager.context.shared(name, 4 * count));
}

export async function forgetWords(agentId: string): Promise<void> {
  const names = await readdir(os.tmpdir());
  const mine = names.filter((name) => name.startsWith(`${agentId}-`) && name.endsWith('.words'));
  await Promise.all(mine.map((name) => rm(path.join(os.tmpdir(), name), { force: true })));
}
