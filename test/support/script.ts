/** Scripts for tests: in files of `test/fixtures/scripts`, or written for one test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import type { PluginHandle, PluginManager, PluginSpec } from 'troupe';
import { onTestFinished } from 'vitest';

import { run, type SpecOptions } from './manager.ts';

/** Registers a script of the fixtures and brings it to `running`. */
export function runScript<I = unknown, O = unknown>(
  manager: PluginManager,
  name: string,
  options: SpecOptions = {},
): Promise<PluginHandle<I, O>> {
  return run(manager, `scripts/${name}`, {
    id: path.parse(name).name,
    host: 'script',
    ...options,
  });
}

/** A folder with these files; it is gone when the test is over. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'troupe-script-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  for (const [name, source] of Object.entries(files))
    writeFileSync(path.join(folder, name), source);
  return folder;
}

/** A spec of a script with this text. */
export function scriptOf(source: string, options: Partial<PluginSpec> = {}): PluginSpec {
  const folder = folderOf({ 'script.js': source });
  return {
    id: 'script',
    type: 'tool',
    host: 'script',
    entry: path.join(folder, 'script.js'),
    ...options,
  };
}

export async function folderWithin(folder: string, name: string): Promise<string> {
  const inner = path.join(folder, name);
  await mkdir(inner, { recursive: true });
  return inner;
}
